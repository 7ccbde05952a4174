import fs from 'node:fs';
import { silentLogger } from '../../../../core/contracts/logger.js';
import type { Mount } from '../../../../core/contracts/mount.js';
import type { SnapshotInfo, Snapshotter, SnapshotUsage } from '../../../../core/contracts/snapshotter.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { KeyLock } from '../../../../core/util/key-lock.js';
import { MAX_MOUNT_DATA } from '../../../../core/util/linux/mount.js';
import { unusableFolder } from './errors.js';
import { windowToFlatten } from './flattening-plan.js';
import type { OverlaySettings } from './overlay-probe.js';
import { removeMany } from './remove-many.js';
import { SnapshotDirs } from './snapshot-dirs.js';
import { dirsOf, type SnapshotRecord, SnapshotRecords } from './snapshot-records.js';
import type { SnapshotterHome } from './snapshotter-home.js';

const usageTask = new URL('./snapshot-usage.task.js', import.meta.url);
const flattenTask = new URL('./snapshot-flatten.task.js', import.meta.url);
const countTask = new URL('./snapshot-count.task.js', import.meta.url);
const never = new AbortController().signal;

/** Layers in one mount. The kernel would take 500; look-ups that miss visit every one. */
const MAX_LAYERS = 64;
const MIN_LAYERS = 12;
/** As many layers become one, at least, when a stack is full. */
const WINDOW = 24;
/** Counting a layer's entries for the choice of the window ends here. */
const COUNT_LIMIT = 20_000;
/** Room for a directory's number, base 36: two billion snapshots. */
const NAME_LENGTH = 6;

/** Who mounts the overlays. Snapshots of one mean nothing to another. */
export interface OverlayMounter {
  readonly name: string;
  /** Puts what was written through a mount into overlayfs' own terms. `work` is the work directory of that mount. */
  settle?(layer: { readonly upper: string; readonly work: string }): Promise<void>;
}

const kernel: OverlayMounter = { name: 'overlayfs' };

/**
 * Snapshots as overlayfs layers: `<dir>/s/<n>/fs` holds what a snapshot changed, `work` is overlayfs' own.
 *
 * 1. Committing moves nothing: the record says that the directory is immutable from now on.
 * 2. A stack always fits into a mount. When a parent's stack is full, a cheap run of neighbouring layers is
 *    flattened into a directory of hard links that the parent owns; layers already mounted elsewhere stay. Its
 *    own layer stays on top: a committed snapshot's topmost directory is always what it changed itself.
 * 3. Files of committed layers may have names in several layers. That is sound because overlayfs copies a file up
 *    before it changes it, and whoever writes into an active `fs` without a mount makes a new inode instead of
 *    changing one that is linked. An active layer into which immutable files were linked is for committing, not for
 *    running processes in: there, overlayfs would change the linked inode in place.
 */
export class OverlaySnapshotter implements Snapshotter {
  readonly name: string;
  readonly #mounter: OverlayMounter;
  readonly #records: SnapshotRecords;
  readonly #dirs: SnapshotDirs;
  readonly #threads: Threads;
  readonly #settings: OverlaySettings;
  readonly #maxLayers: number;
  readonly #keys = new KeyLock<void>();
  /** Entries by directory name, for the choice of the window. */
  readonly #weights = new Map<string, number>();

  private constructor(
    mounter: OverlayMounter,
    records: SnapshotRecords,
    dirs: SnapshotDirs,
    threads: Threads,
    settings: OverlaySettings,
    maxLayers: number,
  ) {
    this.name = mounter.name;
    this.#mounter = mounter;
    this.#records = records;
    this.#dirs = dirs;
    this.#threads = threads;
    this.#settings = settings;
    this.#maxLayers = maxLayers;
  }

  static async open(
    home: SnapshotterHome,
    settings: OverlaySettings,
    mounter = kernel,
  ): Promise<OverlaySnapshotter> {
    const records = new SnapshotRecords(home.kv, `snapshots/${home.id}/${mounter.name}`);
    const named = new Set([...records.entries()].flatMap(([, record]) => dirsOf(record)));
    const { dirs, missing } = await SnapshotDirs.open(home.dir, named, home.threads);
    await dirs.remove(await records.dropBroken(missing, home.logger ?? silentLogger));
    const maxLayers = Math.min(MAX_LAYERS, layersThatFit(dirs, settings));
    if (maxLayers < MIN_LAYERS) throw unusableFolder(home.dir, 'its path is too long for mount options');
    if (/[,:\\"]/.test(home.dir)) throw unusableFolder(home.dir, 'its path has one of , : \\ " in it');
    return new OverlaySnapshotter(mounter, records, dirs, home.threads, settings, maxLayers);
  }

  async prepare(key: string, parent: string | undefined): Promise<void> {
    await this.#keys.run(key, async () => {
      if (this.#records.prepared(key, parent)) return;
      const below = parent === undefined ? undefined : await this.#fitting(parent);
      const dir = this.#dirs.name();
      // Without anything below it is no overlay.
      this.#dirs.make(dir, ...(below ? ['work'] : []));
      if (below) this.#likeRootOf(below, dir);
      this.#records.add(key, {
        kind: 'active',
        ...(parent === undefined ? {} : { parent }),
        dir,
        stack: below?.stack ?? [],
      });
    });
  }

  async mounts(key: string): Promise<readonly Mount[]> {
    const record = this.#records.require(key);
    if (record.kind === 'committed') return [this.#readOnly(record.stack)];
    const { upper, work } = this.#written(record);
    if (record.stack.length === 0) return [{ type: 'bind', source: upper, options: ['rw', 'rbind'] }];
    const own = [`workdir=${work}`, `upperdir=${upper}`];
    const options = [...this.#settings.options, ...own, this.#lower(record.stack)];
    return [{ type: 'overlay', source: 'overlay', options }];
  }

  async commit(name: string, key: string): Promise<void> {
    await this.#keys.run(key, async () => {
      const record = this.#records.get(key);
      if (record?.kind === 'active' && record.stack.length > 0)
        await this.#mounter.settle?.(this.#written(record));
      this.#records.commit(name, key, record ? [record.dir, ...record.stack] : []);
    });
  }

  remove(key: string): Promise<void> {
    return this.removeAll([key]);
  }

  async removeAll(keys: readonly string[]): Promise<void> {
    const books = { records: this.#records, dirs: this.#dirs, keys: this.#keys };
    const gone = await removeMany(books, keys);
    for (const dir of gone.flatMap(dirsOf)) this.#weights.delete(dir);
  }

  async stat(key: string): Promise<SnapshotInfo | undefined> {
    return this.#records.info(key);
  }

  usage(key: string, signal: AbortSignal): Promise<SnapshotUsage> {
    const dir = this.#dirs.tree(this.#records.require(key).dir);
    return this.#threads.run<SnapshotUsage>(usageTask, { dir }, { signal });
  }

  async list(): Promise<readonly SnapshotInfo[]> {
    return this.#records.list();
  }

  #written({ dir }: SnapshotRecord): { readonly upper: string; readonly work: string } {
    return { upper: this.#dirs.tree(dir), work: this.#dirs.beside(dir, 'work') };
  }

  #readOnly(stack: readonly string[]): Mount {
    if (stack.length === 1) {
      return { type: 'bind', source: this.#dirs.tree(stack[0]!), options: ['ro', 'rbind'] };
    }
    return { type: 'overlay', source: 'overlay', options: [...this.#settings.options, this.#lower(stack)] };
  }

  #lower(stack: readonly string[]): string {
    return `lowerdir=${stack.map((dir) => this.#dirs.tree(dir)).join(':')}`;
  }

  /** The root of a mount shows owner and mode of its topmost layer. */
  #likeRootOf(below: SnapshotRecord, dir: string): void {
    const root = fs.statSync(this.#dirs.tree(below.stack[0]!));
    const tree = this.#dirs.tree(dir);
    const own = fs.statSync(tree);
    if (own.uid !== root.uid || own.gid !== root.gid) fs.chownSync(tree, root.uid, root.gid);
    if (own.mode !== root.mode) fs.chmodSync(tree, root.mode & 0o7777);
  }

  /** Rule 2: the committed `key`, with a stack that one more layer can stand on. */
  async #fitting(key: string): Promise<SnapshotRecord> {
    const record = this.#records.require(key, 'committed');
    if (record.stack.length <= this.#maxLayers) return record;
    let fitting = record;
    await this.#keys.run(key, async () => {
      fitting = this.#records.require(key, 'committed');
      if (fitting.stack.length > this.#maxLayers) fitting = await this.#flatten(key, fitting);
    });
    return fitting;
  }

  async #flatten(key: string, record: SnapshotRecord): Promise<SnapshotRecord> {
    const { stack } = record;
    const size = Math.min(WINDOW, Math.ceil(this.#maxLayers / 2));
    const [first, last] = windowToFlatten(await this.#weigh(stack.slice(1)), size);
    const [start, end] = [first + 1, last + 1];
    const trees = (names: readonly string[]): readonly string[] => names.map((name) => this.#dirs.tree(name));
    const dir = this.#dirs.name();
    this.#dirs.make(dir);
    const args = {
      layers: trees(stack.slice(start, end)),
      below: trees(stack.slice(end)),
      target: this.#dirs.tree(dir),
      opaqueName: this.#settings.opaqueName,
    };
    await this.#threads.run(flattenTask, args, { signal: never });
    const flat: SnapshotRecord = {
      ...record,
      stack: [...stack.slice(0, start), dir, ...stack.slice(end)],
      flattened: [...(record.flattened ?? []), dir],
    };
    await this.#records.update(key, flat);
    return flat;
  }

  async #weigh(stack: readonly string[]): Promise<readonly number[]> {
    const unknown = stack.filter((dir) => !this.#weights.has(dir));
    const args = { dirs: unknown.map((dir) => this.#dirs.tree(dir)), limit: COUNT_LIMIT };
    const counts = await this.#threads.run<readonly number[]>(countTask, args, { signal: never });
    for (const [at, dir] of unknown.entries()) this.#weights.set(dir, counts[at]!);
    return stack.map((dir) => this.#weights.get(dir)!);
  }
}

function layersThatFit(dirs: SnapshotDirs, settings: OverlaySettings): number {
  const name = '0'.repeat(NAME_LENGTH);
  const tree = dirs.tree(name).length;
  const fixed = [...settings.options, 'upperdir=', 'workdir=', 'lowerdir='].join(',').length;
  const upper = 2 * tree + 'work'.length;
  return Math.floor((MAX_MOUNT_DATA - fixed - upper) / (tree + 1));
}
