/** Which layers the steps of a result are known as. BuildKit: solver/llbsolver/provenance.go addLayers. */
import type { Json } from '../../proto/json.js';
import type { Compression } from '../contracts/differ.js';
import { BuildError } from '../contracts/errors.js';
import { silentProgress } from '../contracts/progress.js';
import type { RefLayer } from '../contracts/refs.js';
import type { BridgeRef } from '../gateway/bridge-ref.js';
import { asRef } from '../llb/refs.js';
import type { Job } from '../solver/job.js';
import type { Edge, Result, ResultStore } from '../solver/op.js';
import type { Digest } from '../util/digest.js';
import { publicAnnotations } from '../util/layer-annotations.js';

/** Where results of steps are found. */
export interface StepLayers {
  readonly job: Job;
  readonly results: ResultStore;
}

const compressions: readonly Compression[] = ['gzip', 'zstd', 'estargz', 'uncompressed'];

/** By `step<number>:<output>`: a chain for each compression that somebody had the layers in. Nothing is computed. */
export async function stepLayers(
  ref: BridgeRef,
  numbers: ReadonlyMap<Digest, number>,
  from: StepLayers,
  signal: AbortSignal,
): Promise<Json | undefined> {
  const found: { [step: string]: Json } = {};
  for (const edge of ref.edge ? edgesBelow(ref.edge) : []) {
    const number = numbers.get(edge.vertex.digest);
    if (number === undefined) continue;
    const chains = await chainsOf(edge, from, signal);
    if (chains.length > 0) found[`step${number}:${edge.index}`] = chains.map((chain) => chain.map(layerJson));
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

/** Every output that something uses, once. */
function edgesBelow(top: Edge): readonly Edge[] {
  const found = new Map<string, Edge>();
  const open = [top];
  for (let edge = open.pop(); edge; edge = open.pop()) {
    const key = `${edge.vertex.digest}:${edge.index}`;
    if (found.has(key)) continue;
    found.set(key, edge);
    open.push(...edge.vertex.inputs);
  }
  return [...found.values()];
}

async function chainsOf(
  edge: Edge,
  { job, results }: StepLayers,
  signal: AbortSignal,
): Promise<RefLayer[][]> {
  const known = job.found(edge);
  if (!known) return [];
  if (known.held) return knownChains(known.held.value, signal);
  if (known.recordId === undefined || !results.has(known.recordId)) return [];
  const loaded = await noneIfGone(() => results.load(known.recordId!, signal));
  try {
    return await knownChains(loaded, signal);
  } finally {
    await loaded?.[Symbol.asyncDispose]();
  }
}

async function knownChains(result: Result | undefined, signal: AbortSignal): Promise<RefLayer[][]> {
  const tree = asRef(result);
  if (!tree) return [];
  const chains = new Map<string, RefLayer[]>();
  for (const type of compressions) {
    const options = { compression: { type, force: false }, mediaTypes: 'oci', onlyKnown: true } as const;
    const known = await noneIfGone(() => tree.layers(options, silentProgress, signal));
    if (!known?.layers.length) continue;
    const key = known.layers.map(({ descriptor }) => descriptor.digest).join();
    if (!chains.has(key)) chains.set(key, [...known.layers]);
  }
  return [...chains.values()];
}

/** A result may have no blobs yet, or be pruned meanwhile. */
async function noneIfGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { grpcCode } = BuildError.from(error);
    if (grpcCode !== 'NotFound' && grpcCode !== 'FailedPrecondition') throw error;
    return undefined;
  }
}

function layerJson({ descriptor }: RefLayer): Json {
  const { mediaType, digest, size } = descriptor;
  const annotations = publicAnnotations(descriptor.annotations);
  return { mediaType, digest, size, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
}
