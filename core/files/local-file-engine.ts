import { isCanceled } from '../contracts/errors.js';
import {
  type FileAction,
  type FileEngine,
  type FileStep,
  FileStepError,
  type OwnerSpec,
  type TreeStat,
} from '../contracts/files.js';
import { type Progress, silentProgress } from '../contracts/progress.js';
import type { ImmutableRef, MutableRef } from '../contracts/refs.js';
import { traceBelow } from '../contracts/step-span.js';
import type { Threads } from '../contracts/threads.js';
import type { Tracing } from '../contracts/tracing.js';
import { getOrAdd } from '../util/get-or-add.js';
import { asFileError } from './errors.js';
import type { FileActionStep, FileActionsArgs, FileActionsResult } from './file-actions.task.js';
import type { OwnerLookup, Principal } from './owners.js';
import { type FileRange, readSmallFile } from './read-tree.js';
import type { ReadTreeArgs } from './read-tree.task.js';
import { applySmallSteps, smallSteps } from './small-steps.js';

/** Bytes that this thread reads itself. */
const SMALL_FILE = 256 << 10;
const actionsTask = new URL('./file-actions.task.js', import.meta.url);
const readTask = new URL('./read-tree.task.js', import.meta.url);

/** {@link FileEngine} for trees whose layers are directories of this machine. */
export class LocalFileEngine implements FileEngine {
  readonly #threads: Threads;
  readonly #tracing: Tracing;
  /** Inodes linked into a target by its actions so far; see FilePlacer for why they have to be known. */
  readonly #linked = new WeakMap<MutableRef, Float64Array>();

  constructor(options: { readonly threads: Threads; readonly tracing: Tracing }) {
    this.#threads = options.threads;
    this.#tracing = options.tracing;
  }

  async apply(
    target: MutableRef,
    steps: readonly FileStep[],
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    const small = smallSteps(steps);
    if (small) {
      // Over in less time than a span takes.
      const { layers } = await target.view(progress, signal);
      signal.throwIfAborted();
      applySmallSteps(small, layers);
      return;
    }
    const tags = { target: target.id, kind: steps[0]?.action.kind ?? '', count: steps.length };
    await traceBelow(this.#tracing, 'file actions', tags, progress, async () => {
      const layersOf = layersOfRefs(progress, signal);
      const linked = this.#linked.get(target) ?? new Float64Array();
      const args: FileActionsArgs = {
        steps: await inOrder(steps, (step) => forTask(step, layersOf)),
        target: await layersOf(target),
        linked: steps.some(({ action }) => action.kind === 'copy') ? linked : new Float64Array(),
      };
      let failing = 0;
      const onReport = (step: unknown): void => {
        failing = step as number;
      };
      try {
        const result = await this.#threads.run<FileActionsResult>(actionsTask, args, { signal, onReport });
        if (result.linked.length > 0) {
          this.#linked.set(target, Float64Array.from([...linked, ...result.linked]));
        }
      } catch (error) {
        throw isCanceled(error) ? error : new FileStepError(failing, error);
      }
    });
  }

  async readFile(
    ref: ImmutableRef,
    path: string,
    range: FileRange,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { layers } = await ref.view(silentProgress, signal);
    signal.throwIfAborted();
    return readHere(layers, path, range) ?? this.#read({ kind: 'file', layers, path, range }, signal);
  }

  async readDir(
    ref: ImmutableRef,
    path: string,
    includePattern: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly TreeStat[]> {
    const { layers } = await ref.view(silentProgress, signal);
    return this.#read({ kind: 'dir', layers, path, includePattern }, signal);
  }

  async statFile(ref: ImmutableRef, path: string, signal: AbortSignal): Promise<TreeStat> {
    const { layers } = await ref.view(silentProgress, signal);
    return this.#read({ kind: 'stat', layers, path }, signal);
  }

  #read<T>(args: ReadTreeArgs, signal: AbortSignal): Promise<T> {
    return this.#threads.run<T>(readTask, args, { signal });
  }
}

/** A Dockerfile is read sooner than a thread would hear of it. */
function readHere(layers: readonly string[], path: string, range: FileRange): Uint8Array | undefined {
  try {
    return readSmallFile(layers, path, range, SMALL_FILE);
  } catch (error) {
    throw asFileError(error, path);
  }
}

type AnyRef = ImmutableRef | MutableRef;
type LayersOf = (ref: AnyRef | undefined) => Promise<readonly string[]>;

/** Asks each ref once: thousands of steps may read from the same one. */
function layersOfRefs(progress: Progress, signal: AbortSignal): LayersOf {
  const known = new Map<AnyRef, Promise<readonly string[]>>();
  const view = async (ref: AnyRef): Promise<readonly string[]> => (await ref.view(progress, signal)).layers;
  return async (ref) => (ref ? getOrAdd(known, ref, () => view(ref)) : []);
}

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

async function forTask({ action, source }: FileStep, layersOf: LayersOf): Promise<FileActionStep> {
  return {
    action: cloneable(action),
    owner: 'owner' in action ? await lookupOf(action.owner, layersOf) : undefined,
    source: await layersOf(source),
    immutableSource: source !== undefined && !source.mutable,
  };
}

/**
 * Refs stay on this thread; their layers go instead. Data is copied out of the message it came in: a view is sent with
 * all of what it is a view of, which may be a graph of thousands of ops.
 */
function cloneable(action: FileAction): FileAction {
  const { owner: _refs, ...rest } = { owner: undefined, ...action };
  return rest.kind === 'mkfile' ? { ...rest, data: new Uint8Array(rest.data) } : rest;
}

async function lookupOf(owner: OwnerSpec | undefined, layersOf: LayersOf): Promise<OwnerLookup | undefined> {
  if (!owner) return undefined;
  const user = await principalOf(owner.user, layersOf);
  const group = await principalOf(owner.group, layersOf);
  return { ...(user ? { user } : {}), ...(group ? { group } : {}) };
}

async function principalOf(principal: OwnerSpec['user'], layersOf: LayersOf): Promise<Principal | undefined> {
  if (!principal || 'id' in principal) return principal;
  return { name: principal.name, layers: await layersOf(principal.in) };
}
