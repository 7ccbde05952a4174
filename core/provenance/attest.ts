/** Everything that is stated about a build's result: by its frontend, by a scan of it, and about how it was built. */
import type { ResultAttestation } from '../contracts/exporter.js';
import type { Attestation, FrontendResult } from '../contracts/frontend.js';
import type { Bridge } from '../gateway/bridge.js';
import type { BridgeRef } from '../gateway/bridge-ref.js';
import type { Job } from '../solver/job.js';
import type { ResultStore } from '../solver/op.js';
import { timeFromMs } from '../util/go-time.js';
import { newId } from '../util/identity.js';
import { together } from '../util/together.js';
import { captureMaterials, type PlatformOfResult } from './capture.js';
import { frontendAttestations } from './frontend-attestations.js';
import type { Materials } from './materials.js';
import { type ProvenanceScope, provenanceOf } from './provenance.js';
import { hasSbom, openScanner, type Scanning } from './sbom.js';
import type { AttestationWishes, ProvenanceWish } from './wishes.js';

export interface AttestOptions {
  readonly bridge: Bridge;
  readonly job: Job;
  readonly results: ResultStore;
  /** As the frontend listed them; empty when it named none. */
  readonly platforms: readonly PlatformOfResult[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

type Attestations = ReadonlyMap<string, readonly ResultAttestation[]>;

/** The refs of `result` are solved. */
export async function attest(
  result: FrontendResult,
  wishes: AttestationWishes,
  options: AttestOptions,
  signal: AbortSignal,
): Promise<Attestations> {
  const parts = partsOf(result, options);
  // Before the scan: what that looks up and runs is none of the result's, but for the scanner itself.
  const materials = new Map(
    wishes.provenance ? parts.map(({ id, ref }) => [id, capture(id, ref, result, options)] as const) : [],
  );
  const scanner =
    wishes.sbom && !hasSbom(result) ? await openScanner(options.bridge, wishes.sbom, signal) : undefined;
  if (scanner) for (const made of materials.values()) made?.addImage(scanner.image);
  const scans = scanner && (await scanParts(parts, scanner, signal));
  const scope = wishes.provenance && provenanceScope(wishes.provenance, options);
  const attested = parts.map(async ({ id, ref }) => {
    const given = [...givenFor(id, result), ...(scans?.get(id) ?? [])];
    const made = materials.get(id);
    const provenance = scope && ref && made ? [provenanceOf(ref, made, scope)] : [];
    return [id, [...(await frontendAttestations(given, signal)), ...provenance]] as const;
  });
  return new Map((await Promise.all(attested)).filter(([, list]) => list.length > 0));
}

interface Part {
  readonly id: string;
  /** undefined: scratch. */
  readonly ref: BridgeRef | undefined;
}

/** A result of one tree stands under the platform that its frontend names, or under none. */
function partsOf(result: FrontendResult, { bridge, platforms }: AttestOptions): readonly Part[] {
  const refs = result.refs ? [...result.refs] : [[platforms[0]?.id ?? '', result.ref] as const];
  return refs.map(([id, ref]) => ({ id, ref: ref && bridge.owned(ref) }));
}

/** A frontend that names no platforms has but one list. */
const givenFor = (id: string, { attestations = new Map() }: FrontendResult): readonly Attestation[] =>
  id === '' ? [...attestations.values()].flat() : (attestations.get(id) ?? []);

function capture(
  id: string,
  ref: BridgeRef | undefined,
  result: FrontendResult,
  { bridge, job, platforms }: AttestOptions,
): Materials | undefined {
  if (!ref) return undefined;
  const attestations = [...(result.attestations?.values() ?? [])].flat();
  const all = [result.ref, ...(result.refs?.values() ?? []), ...attestations.map((one) => one.ref)];
  const results = new Set(all.flatMap((one) => (one ? [bridge.owned(one)] : [])));
  return captureMaterials(ref, result.refs ? id : '', { job, results, platforms });
}

async function scanParts(
  parts: readonly Part[],
  scanner: Scanning,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Attestation[]>> {
  const scanned = parts.map(({ id, ref }) => async (either: AbortSignal) => {
    const found: readonly Attestation[] = ref ? [await scanner.scan(id, ref, either)] : [];
    return [id, found] as const;
  });
  return new Map(await together(scanned, (work, either) => work(either), signal));
}

function provenanceScope(wish: ProvenanceWish, { job, results, startedAt }: AttestOptions): ProvenanceScope {
  let finishedAt: number | undefined;
  return {
    wish,
    invocationId: newId(),
    startedOn: timeFromMs(startedAt),
    finishedOn: () => {
      finishedAt ??= Date.now();
      return timeFromMs(finishedAt);
    },
    layers: { job, results },
  };
}
