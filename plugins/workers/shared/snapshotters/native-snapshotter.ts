import { silentLogger } from '../../../../core/contracts/logger.js';
import type { Mount } from '../../../../core/contracts/mount.js';
import type { SnapshotInfo, Snapshotter, SnapshotUsage } from '../../../../core/contracts/snapshotter.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { KeyLock } from '../../../../core/util/key-lock.js';
import { removeMany } from './remove-many.js';
import { SnapshotDirs } from './snapshot-dirs.js';
import { SnapshotRecords } from './snapshot-records.js';
import type { SnapshotterHome } from './snapshotter-home.js';

const usageTask = new URL('./snapshot-usage.task.js', import.meta.url);
const copyTask = new URL('./snapshot-copy.task.js', import.meta.url);
const never = new AbortController().signal;

/**
 * Snapshots as whole copies of their parents, for where overlayfs does not work. Nothing is shared but extents, on
 * file systems that can: an active tree is written in place, so it must not share inodes with anything. Committed trees
 * may share them: nobody writes there any more.
 */
export class NativeSnapshotter implements Snapshotter {
  readonly name = 'native';
  readonly copiesParents = true;
  readonly #records: SnapshotRecords;
  readonly #dirs: SnapshotDirs;
  readonly #threads: Threads;
  readonly #keys = new KeyLock<void>();

  private constructor(records: SnapshotRecords, dirs: SnapshotDirs, threads: Threads) {
    this.#records = records;
    this.#dirs = dirs;
    this.#threads = threads;
  }

  static async open(home: SnapshotterHome): Promise<NativeSnapshotter> {
    const records = new SnapshotRecords(home.kv, `snapshots/${home.id}/native`);
    const named = new Set([...records.entries()].map(([, record]) => record.dir));
    const { dirs, missing } = await SnapshotDirs.open(home.dir, named, home.threads);
    await dirs.remove(await records.dropBroken(missing, home.logger ?? silentLogger));
    return new NativeSnapshotter(records, dirs, home.threads);
  }

  async prepare(key: string, parent: string | undefined): Promise<void> {
    await this.#keys.run(key, async () => {
      if (this.#records.prepared(key, parent)) return;
      const from = parent === undefined ? undefined : this.#records.require(parent, 'committed');
      const dir = this.#dirs.name();
      this.#dirs.make(dir);
      if (from) {
        const args = { from: this.#dirs.tree(from.dir), to: this.#dirs.tree(dir) };
        await this.#threads.run(copyTask, args, { signal: never });
      }
      const record = { kind: 'active', dir, stack: [] } as const;
      this.#records.add(key, parent === undefined ? record : { ...record, parent });
    });
  }

  async mounts(key: string): Promise<readonly Mount[]> {
    const { dir, kind } = this.#records.require(key);
    const access = kind === 'committed' ? 'ro' : 'rw';
    return [{ type: 'bind', source: this.#dirs.tree(dir), options: [access, 'rbind'] }];
  }

  async commit(name: string, key: string): Promise<void> {
    await this.#keys.run(key, async () => {
      this.#records.commit(name, key, []);
    });
  }

  remove(key: string): Promise<void> {
    return this.removeAll([key]);
  }

  async removeAll(keys: readonly string[]): Promise<void> {
    await removeMany({ records: this.#records, dirs: this.#dirs, keys: this.#keys }, keys);
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
}
