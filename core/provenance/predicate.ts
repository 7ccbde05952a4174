/**
 * The predicate of a provenance attestation, in both versions of SLSA; members stand in BuildKit's order. BuildKit:
 * solver/llbsolver/provenance/{predicate.go,types/types.go}; wire facts E8.5 to E8.7.
 */
import type { Json } from '../../proto/json.js';
import type { FrontendCall } from '../gateway/build-scope.js';
import { defaultPlatform, formatPlatform, normalizePlatform } from '../util/platform.js';
import { imagePurl } from '../util/purl.js';
import { commitSet, digestSet } from './digest-sets.js';
import type { Materials, Offered } from './materials.js';
import { type ConfigSource, splitArgs } from './request-args.js';
import type { ProvenanceWish } from './wishes.js';

export const predicateTypes = {
  'v0.2': 'https://slsa.dev/provenance/v0.2',
  v1: 'https://slsa.dev/provenance/v1',
} as const;

type JsonObject = { [key: string]: Json };

export interface ProvenanceFacts {
  readonly call: FrontendCall | undefined;
  readonly materials: Materials;
  readonly wish: ProvenanceWish;
  readonly invocationId: string;
  /** RFC 3339. */
  readonly startedOn: string;
  readonly finishedOn: string;
  /** Of mode `max`. */
  readonly buildConfig: Json | undefined;
  readonly source: Json | undefined;
  readonly layers: Json | undefined;
}

/** Whose type is `predicateTypes[version]`. */
export function provenancePredicate(facts: ProvenanceFacts): JsonObject {
  return facts.wish.version === 'v1' ? predicateV1(facts) : predicateV02(facts);
}

function predicateV02(facts: ProvenanceFacts): JsonObject {
  const { wish, buildConfig } = facts;
  const { config, parameters, complete, vcs } = requestOf(facts);
  const sources = sourceMaterials(facts.materials);
  const isComplete = allMaterials(facts.materials);
  return {
    builder: { id: wish.builderId },
    buildType: 'https://mobyproject.org/buildkit@v1',
    ...(sources.length > 0 ? { materials: sources } : {}),
    invocation: {
      configSource: configJson(config, 'entryPoint'),
      parameters,
      environment: { platform: builderPlatform() },
    },
    ...(buildConfig === undefined ? {} : { buildConfig }),
    metadata: {
      buildInvocationID: facts.invocationId,
      buildStartedOn: facts.startedOn,
      buildFinishedOn: facts.finishedOn,
      completeness: { parameters: complete, environment: true, materials: isComplete },
      reproducible: wish.reproducible,
      'https://mobyproject.org/buildkit@v1#metadata': metadataJson(facts, vcs),
      ...(isHermetic(facts.materials) ? { 'https://mobyproject.org/buildkit@v1#hermetic': true } : {}),
    },
  };
}

function predicateV1(facts: ProvenanceFacts): JsonObject {
  const { wish, buildConfig } = facts;
  const { config, parameters, complete, vcs } = requestOf(facts);
  const sources = sourceMaterials(facts.materials);
  return {
    buildDefinition: {
      buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
      ...(sources.length > 0 ? { resolvedDependencies: sources } : {}),
      externalParameters: { configSource: configJson(config, 'path'), request: parameters },
      internalParameters: {
        ...(buildConfig === undefined ? {} : { buildConfig }),
        builderPlatform: builderPlatform(),
      },
    },
    runDetails: {
      builder: { id: wish.builderId },
      metadata: {
        invocationID: facts.invocationId,
        startedOn: facts.startedOn,
        finishedOn: facts.finishedOn,
        buildkit_metadata: metadataJson(facts, vcs),
        ...(isHermetic(facts.materials) ? { buildkit_hermetic: true } : {}),
        buildkit_completeness: { request: complete, resolvedDependencies: allMaterials(facts.materials) },
        ...(wish.reproducible ? { buildkit_reproducible: true } : {}),
      },
    },
  };
}

interface RequestFacts {
  readonly config: ConfigSource;
  readonly parameters: JsonObject;
  readonly complete: boolean;
  readonly vcs: Readonly<Record<string, string>>;
}

/** Mode `min` leaves out what may be private, and says so. */
function requestOf({ call, materials, wish }: ProvenanceFacts): RequestFacts {
  const { config, args, vcs } = splitArgs(call?.opts ?? {}, materials);
  const isPrivate = (name: string): boolean => name.startsWith('build-arg:') || name.startsWith('label:');
  const isMin = wish.mode === 'min';
  const shown = Object.entries(args).filter(([name]) => !isMin || !isPrivate(name));
  const parameters = {
    ...(call ? { frontend: call.frontend } : {}),
    ...(shown.length > 0 ? { args: Object.fromEntries(shown) } : {}),
    ...(isMin ? {} : listOf('secrets', materials.secrets.map(offeredJson))),
    ...(isMin ? {} : listOf('ssh', materials.ssh.map(offeredJson))),
    ...listOf(
      'locals',
      materials.locals.map((name) => ({ name })),
    ),
  };
  return {
    config,
    parameters,
    complete: call !== undefined && shown.length === Object.keys(args).length,
    vcs,
  };
}

const listOf = (name: string, list: Json[]): JsonObject => (list.length > 0 ? { [name]: list } : {});

const offeredJson = ({ id, optional }: Offered): Json => ({ id, ...(optional ? { optional } : {}) });

const configJson = ({ uri, digest, path }: ConfigSource, pathName: string): JsonObject => ({
  ...(uri === undefined ? {} : { uri }),
  ...(digest === undefined ? {} : { digest }),
  ...(path === undefined ? {} : { [pathName]: path }),
});

function metadataJson(
  { source, layers }: ProvenanceFacts,
  vcs: Readonly<Record<string, string>>,
): JsonObject {
  return {
    ...(Object.keys(vcs).length > 0 ? { vcs } : {}),
    ...(source === undefined ? {} : { source }),
    ...(layers === undefined ? {} : { layers }),
  };
}

function sourceMaterials({ images, git, http }: Materials): Json[] {
  return [
    ...images.map(({ ref, platform, digest, local }) => ({
      uri: imagePurl(local ? 'oci' : 'docker', ref, platform),
      digest: digestSet(digest),
    })),
    ...git.map(({ url, commit }) => ({ uri: url, digest: commitSet(commit) })),
    ...http.map(({ url, digest }) => ({ uri: url, digest: digestSet(digest) })),
  ];
}

/** What a client hands in cannot be had again. */
const allMaterials = ({ incomplete, locals }: Materials): boolean => !incomplete && locals.length === 0;
const isHermetic = (materials: Materials): boolean => allMaterials(materials) && !materials.network;

const builderPlatform = (): string => formatPlatform(normalizePlatform(defaultPlatform()));
