import type { Mount } from '../../../core/contracts/mount.js';
import {
  removeSnapshots,
  type SnapshotInfo,
  type Snapshotter,
  type SnapshotUsage,
} from '../../../core/contracts/snapshotter.js';

/** A snapshotter that is bound before it is opened: which driver it is, is known once the daemon has started. */
export class LateSnapshotter implements Snapshotter {
  readonly #choose: () => Promise<Snapshotter>;
  #opened: Snapshotter | undefined;

  constructor(choose: () => Promise<Snapshotter>) {
    this.#choose = choose;
  }

  async open(): Promise<void> {
    this.#opened ??= await this.#choose();
  }

  get name(): string {
    return this.#driver.name;
  }

  get copiesParents(): boolean {
    return this.#driver.copiesParents ?? false;
  }

  prepare(key: string, parent: string | undefined): Promise<void> {
    return this.#driver.prepare(key, parent);
  }

  mounts(key: string): Promise<readonly Mount[]> {
    return this.#driver.mounts(key);
  }

  commit(name: string, key: string): Promise<void> {
    return this.#driver.commit(name, key);
  }

  remove(key: string): Promise<void> {
    return this.#driver.remove(key);
  }

  removeAll(keys: readonly string[]): Promise<void> {
    return removeSnapshots(this.#driver, keys);
  }

  stat(key: string): Promise<SnapshotInfo | undefined> {
    return this.#driver.stat(key);
  }

  usage(key: string, signal: AbortSignal): Promise<SnapshotUsage> {
    return this.#driver.usage(key, signal);
  }

  list(): Promise<readonly SnapshotInfo[]> {
    return this.#driver.list();
  }

  get #driver(): Snapshotter {
    if (!this.#opened) throw new Error('the snapshotter has not been opened');
    return this.#opened;
  }
}
