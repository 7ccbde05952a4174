/** The provenance of one platform's result. BuildKit: solver/llbsolver/{provenance.go,proc/provenance.go}. */
import { pb } from '../../proto/index.js';
import { type Json, toJson } from '../../proto/json.js';
import type { ResultAttestation } from '../contracts/exporter.js';
import type { LlbDefinition } from '../contracts/frontend.js';
import type { BridgeRef } from '../gateway/bridge-ref.js';
import type { Digest } from '../util/digest.js';
import { goJson } from '../util/go-json.js';
import { indentJson } from '../util/json-text.js';
import { type BuildSteps, buildSteps, digestMapping } from './build-steps.js';
import { type StepLayers, stepLayers } from './layers.js';
import type { Materials } from './materials.js';
import { predicateTypes, provenancePredicate } from './predicate.js';
import type { ProvenanceWish } from './wishes.js';

export interface ProvenanceScope {
  readonly wish: ProvenanceWish;
  readonly invocationId: string;
  readonly startedOn: string;
  /** The end of the build, when it is first asked for. */
  readonly finishedOn: () => string;
  readonly layers: StepLayers;
}

/** What it was made of is settled; layers are told of as the exporters have them by then. */
export function provenanceOf(
  ref: BridgeRef,
  materials: Materials,
  scope: ProvenanceScope,
): ResultAttestation {
  const { wish } = scope;
  const text = (value: string): Uint8Array => Buffer.from(value);
  return {
    path: wish.filename,
    predicateType: predicateTypes[wish.version],
    subjects: [],
    metadata: new Map([
      ['reason', text('provenance')],
      ['inline-only', text(String(wish.inlineOnly))],
    ]),
    predicate: async (signal) => {
      const { invocationId, startedOn } = scope;
      const details = wish.mode === 'max' ? await buildDetails(ref, scope.layers, signal) : noDetails;
      const finishedOn = scope.finishedOn();
      const { call } = ref.scope;
      const facts = { call, materials, wish, invocationId, startedOn, finishedOn, ...details };
      return text(indentJson(goJson(provenancePredicate(facts))));
    },
  };
}

interface BuildDetails {
  readonly buildConfig: Json | undefined;
  readonly source: Json | undefined;
  readonly layers: Json | undefined;
}

const noDetails: BuildDetails = { buildConfig: undefined, source: undefined, layers: undefined };

async function buildDetails(
  ref: BridgeRef,
  layersOf: StepLayers,
  signal: AbortSignal,
): Promise<BuildDetails> {
  const steps = buildSteps(ref.definition.def);
  return {
    buildConfig: configJson(steps),
    source: sourceJson(ref.definition, steps),
    layers: await stepLayers(ref, steps.numbers, layersOf, signal),
  };
}

const configJson = (steps: BuildSteps): { [key: string]: Json } =>
  steps.steps.length === 0 ? {} : { llbDefinition: [...steps.steps], digestMapping: digestMapping(steps) };

function sourceJson({ source }: LlbDefinition, { numbers }: BuildSteps): Json | undefined {
  if (!source) return undefined;
  const { infos, locations } = pb.Source.decode(source);
  if (infos.length === 0) return undefined;
  const places = Object.entries(locations).flatMap(([digest, location]) => {
    const number = numbers.get(digest as Digest);
    return number === undefined ? [] : [[`step${number}`, toJson('Locations', location, 'go')] as const];
  });
  return {
    ...(places.length > 0 ? { locations: Object.fromEntries(places) } : {}),
    infos: infos.map(({ filename, language, data, definition }) => ({
      ...(filename ? { filename } : {}),
      ...(language ? { language } : {}),
      ...(data.length > 0 ? { data: Buffer.from(data).toString('base64') } : {}),
      ...configJson(buildSteps(definition?.def ?? [])),
    })),
  };
}
