/**
 * Collects what a result was made of: from the ops that ran for it, from everything else that its frontend had solved
 * or looked up. BuildKit: solver/llbsolver/provenance.go captureProvenance, solver/llbsolver/solver.go getProvenance.
 */
import type { BridgeRef } from '../gateway/bridge-ref.js';
import type { BuildScope, ImageLookup } from '../gateway/build-scope.js';
import type { ExecBody } from '../llb/model.js';
import { BuildOp } from '../llb/ops/build.js';
import { ExecOp } from '../llb/ops/exec.js';
import { SourceOp } from '../llb/ops/source.js';
import type { Job } from '../solver/job.js';
import type { Edge, Op } from '../solver/op.js';
import type { Digest } from '../util/digest.js';
import { formatPlatform, normalizePlatform, type Platform } from '../util/platform.js';
import { Materials } from './materials.js';

export interface PlatformOfResult {
  readonly id: string;
  readonly platform: Platform;
}

export interface CaptureOptions {
  readonly job: Job;
  /** All refs of the result: what they are made of belongs to each of them alone. */
  readonly results: ReadonlySet<BridgeRef>;
  /** As the frontend listed them; empty when it named none. */
  readonly platforms: readonly PlatformOfResult[];
}

/** `id` is that of the ref's platform in the result. */
export function captureMaterials(
  ref: BridgeRef,
  id: string,
  { job, results, platforms }: CaptureOptions,
): Materials {
  const materials = new Materials();
  const { scope } = ref;
  const seen = new Set<Digest>();
  for (const edge of edgesOf(ref, scope, results)) addSteps(materials, edge, job, seen);
  for (const image of imagesFor(id, scope, platforms)) materials.addImage(image);
  return materials;
}

function edgesOf(ref: BridgeRef, scope: BuildScope, results: ReadonlySet<BridgeRef>): readonly Edge[] {
  const others = scope.refs.filter((other) => other !== ref && other.isSolved && !results.has(other));
  return [ref, ...others].flatMap(({ edge }) => edge ?? []);
}

/** Iterative: generated graphs are tens of thousands of ops deep. */
function addSteps(materials: Materials, top: Edge, job: Job, seen: Set<Digest>): void {
  const open: Edge[] = [top];
  for (let edge = open.pop(); edge; edge = open.pop()) {
    if (seen.has(edge.vertex.digest)) continue;
    seen.add(edge.vertex.digest);
    addStep(materials, job.op(edge));
    open.push(...edge.vertex.inputs);
  }
}

function addStep(materials: Materials, op: Op | undefined): void {
  if (op instanceof SourceOp && op.origin) materials.addOrigin(op.origin);
  else if (op instanceof ExecOp) addProcess(materials, op.body);
  else if (op instanceof BuildOp) materials.incomplete = true;
}

function addProcess(materials: Materials, { mounts, secretEnv, network }: ExecBody): void {
  for (const { secret, ssh } of mounts) {
    if (secret) materials.addSecret(secret);
    if (ssh) materials.addSsh(ssh);
  }
  for (const secret of secretEnv) materials.addSecret(secret);
  if (network !== 'none') materials.network = true;
}

/** Of an image that was looked up for every platform of the result, only this platform's is a material. */
function imagesFor(
  id: string,
  scope: BuildScope,
  platforms: readonly PlatformOfResult[],
): readonly ImageLookup[] {
  const { images } = scope;
  const current = platforms.find((one) => one.id === id)?.platform;
  if (id === '' || platforms.length === 0) return images;
  const isForAll = (ref: string): boolean =>
    platforms.every(({ platform }) =>
      images.some((image) => image.ref === ref && image.platform && same(image.platform, platform)),
    );
  const forAll = new Set([...new Set(images.map(({ ref }) => ref))].filter(isForAll));
  return images.filter(
    ({ ref, platform }) =>
      !platform ||
      !forAll.has(ref) ||
      (platform.os === current?.os && platform.architecture === current.architecture),
  );
}

const same = (a: Platform, b: Platform): boolean =>
  formatPlatform(normalizePlatform(a)) === formatPlatform(normalizePlatform(b));
