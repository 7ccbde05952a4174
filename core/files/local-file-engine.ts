import type { FileAction, FileEngine, OwnerSpec, TreeStat } from '../contracts/files.js';
import { type Progress, silentProgress } from '../contracts/progress.js';
import type { ImmutableRef, MutableRef } from '../contracts/refs.js';
import type { Threads } from '../contracts/threads.js';
import type { Tracing } from '../contracts/tracing.js';
import type { FileActionArgs, FileActionResult } from './file-action.task.js';
import type { OwnerLookup, Principal } from './owners.js';
import type { ReadTreeArgs } from './read-tree.task.js';

const actionTask = new URL('./file-action.task.js', import.meta.url);
const readTask = new URL('./read-tree.task.js', import.meta.url);

/** {@link FileEngine} for trees whose layers are directories of this machine. */
export class LocalFileEngine implements FileEngine {
  readonly #threads: Threads;
  readonly #tracing: Tracing;
  /** Inodes linked into a target by its actions so far; see FilePlacer for why they have to be known. */
  readonly #linked = new WeakMap<MutableRef, Float64Array[]>();

  constructor(options: { readonly threads: Threads; readonly tracing: Tracing }) {
    this.#threads = options.threads;
    this.#tracing = options.tracing;
  }

  async apply(
    target: MutableRef,
    action: FileAction,
    source: ImmutableRef | MutableRef | undefined,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#tracing.trace(`file ${action.kind}`, { tags: { target: target.id } }, async () => {
      const layersOf = async (ref: ImmutableRef | MutableRef | undefined): Promise<readonly string[]> =>
        ref ? (await ref.view(progress, signal)).layers : [];
      const owner = 'owner' in action ? await lookupOf(action.owner, layersOf) : undefined;
      const linked = this.#linked.get(target) ?? [];
      const args: FileActionArgs = {
        action: forTask(action),
        owner,
        target: await layersOf(target),
        source: await layersOf(source),
        immutableSource: source !== undefined && !source.mutable,
        linked: action.kind === 'copy' ? linked : [],
      };
      const result = await this.#threads.run<FileActionResult>(actionTask, args, { signal });
      if (result.linked.length > 0) this.#linked.set(target, [...linked, result.linked]);
    });
  }

  async readFile(
    ref: ImmutableRef,
    path: string,
    range: { readonly offset: number; readonly length?: number },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return this.#read(ref, (layers) => ({ kind: 'file', layers, path, range }), signal);
  }

  async readDir(
    ref: ImmutableRef,
    path: string,
    includePattern: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly TreeStat[]> {
    return this.#read(ref, (layers) => ({ kind: 'dir', layers, path, includePattern }), signal);
  }

  async statFile(ref: ImmutableRef, path: string, signal: AbortSignal): Promise<TreeStat> {
    return this.#read(ref, (layers) => ({ kind: 'stat', layers, path }), signal);
  }

  async #read<T>(
    ref: ImmutableRef,
    args: (layers: readonly string[]) => ReadTreeArgs,
    signal: AbortSignal,
  ): Promise<T> {
    const { layers } = await ref.view(silentProgress, signal);
    return this.#threads.run<T>(readTask, args(layers), { signal });
  }
}

/**
 * What a task gets of an action. Refs stay on this thread; layers go instead. Data is copied out of the message it
 * came in: a view is sent with all of what it is a view of, which may be a graph of thousands of ops.
 */
function forTask(action: FileAction): FileAction {
  if (!('owner' in action) && action.kind !== 'mkfile') return action;
  const { owner: _refs, ...rest } = { owner: undefined, ...action };
  return rest.kind === 'mkfile' ? { ...rest, data: new Uint8Array(rest.data) } : rest;
}

type LayersOf = (ref: ImmutableRef | MutableRef | undefined) => Promise<readonly string[]>;

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
