/**
 * Turns a definition into vertices the solver can work on. What is malformed, not granted or not supported is
 * refused here, with the op's digest, before anything runs. BuildKit: solver/llbsolver/vertex.go.
 */
import { BuildError, invalid } from '../contracts/errors.js';
import type { LlbDefinition, LlbMetadata } from '../contracts/frontend.js';
import type { Worker } from '../contracts/worker.js';
import type { Edge, Op, Vertex } from '../solver/op.js';
import type { Digest } from '../util/digest.js';
import { defaultPlatform, normalizePlatform } from '../util/platform.js';
import { unknownCap } from './caps.js';
import { type DefinedOp, readDefinition } from './definition.js';
import { hasOutput } from './model.js';
import { opName } from './names.js';
import { makeOp } from './ops/make-op.js';
import { permitted } from './permissions.js';
import type { LlbServices, LoadOptions } from './services.js';
import { chooseWorker } from './worker-choice.js';

/** The edge that a definition's result is; undefined for scratch. */
export function loadLlb(
  definition: LlbDefinition,
  services: LlbServices,
  options: LoadOptions,
): Edge | undefined {
  try {
    return load(definition, services, options);
  } catch (error) {
    throw BuildError.from(error).wrap('failed to load LLB');
  }
}

function load(definition: LlbDefinition, services: LlbServices, options: LoadOptions): Edge | undefined {
  const graph = readDefinition(definition);
  if (!graph) return undefined;
  const vertices = new Map<Digest, Vertex>();
  for (const op of graph.ops) {
    const metadata = definition.metadata.get(op.digest) ?? noMetadata;
    vertices.set(op.digest, makeVertex(op, metadata, vertices, services, options));
  }
  return edge(vertices, graph.result.digest, graph.result.index);
}

const noMetadata: LlbMetadata = { ignoreCache: false, description: {}, caps: [] };

function makeVertex(
  op: DefinedOp,
  metadata: LlbMetadata,
  vertices: ReadonlyMap<Digest, Vertex>,
  services: LlbServices,
  options: LoadOptions,
): Vertex {
  try {
    checkCaps(metadata.caps);
    const body = permitted(op.body, options, services.devices);
    if (metadata.ignoreCache) pruneCacheMounts(op, services);
    const worker = chooseWorker(services.workers, op.constraints, op.platform);
    const inputs = op.inputs.map((input) => edge(vertices, input.digest, input.index));
    const name =
      metadata.description['llb.customname'] ??
      opName(
        op.body,
        inputs.map((input) => input.vertex),
      );
    return {
      digest: op.digest,
      name,
      inputs,
      outputs: outputCount(op),
      ignoreCache: metadata.ignoreCache,
      exportCache: metadata.exportCache,
      progressGroup: metadata.progressGroup,
      description: { ...metadata.description, worker: worker.profile.id },
      op: runnable({ ...op, body }, metadata, name, worker, services, options),
    };
  } catch (error) {
    const known = BuildError.from(error);
    // What was asked for says it all; what is malformed has to be found.
    const prefix = known.code === 'llb.entitlement' ? undefined : `op ${op.digest}`;
    throw known.wrap(prefix, { type: 'vertex', digest: op.digest });
  }
}

function runnable(
  op: DefinedOp,
  metadata: LlbMetadata,
  name: string,
  worker: Worker,
  services: LlbServices,
  options: LoadOptions,
): Op {
  return makeOp(
    op.body,
    {
      name,
      bytes: op.bytes,
      metadata,
      inputCount: op.inputs.length,
      platform: normalizePlatform(op.platform ?? defaultPlatform()),
      worker,
      loadNested: async (definition, signal) =>
        loadLlb((await options.rewrite?.(definition, signal)) ?? definition, services, options),
    },
    services,
  );
}

/** A step that is to run without cache starts with empty cache mounts as well (wire facts E5.13). */
function pruneCacheMounts({ body }: DefinedOp, { cacheMounts }: LlbServices): void {
  if (body.kind !== 'exec') return;
  for (const { cache, dest } of body.mounts) if (cache) cacheMounts.prune(cache.id || dest);
}

function checkCaps(caps: readonly string[]): void {
  for (const cap of caps) {
    const unknown = unknownCap(cap);
    if (unknown) throw invalid('llb.unknown-cap', unknown.message, { hint: unknown.hint });
  }
}

function edge(vertices: ReadonlyMap<Digest, Vertex>, digest: Digest, index: number): Edge {
  const vertex = vertices.get(digest);
  if (!vertex) throw invalid('llb.invalid', `op ${digest} is used before it is loaded`);
  if (index < vertex.outputs) return { vertex, index };
  throw invalid('llb.invalid', `output ${index} of op ${digest} is wanted, but it has ${vertex.outputs}`);
}

function outputCount({ body }: DefinedOp): number {
  switch (body.kind) {
    case 'exec':
      return body.mounts.filter(hasOutput).length;
    case 'file':
      return body.actions.filter((action) => action.output !== -1).length;
    case 'passthrough':
      return body.outputs.length;
    default:
      return 1;
  }
}
