/**
 * Layers in one of containerd's snapshotters. Whoever reads or writes them does so on this machine: mounts name its
 * folders.
 *
 * 1. A snapshot of ours carries the worker's id as a label: the namespace may have others.
 * 2. Committed snapshots have no mounts of their own in containerd. A view of each, made when it is first asked for,
 *    has; it goes with its snapshot.
 * 3. What is removed is gone from containerd's books at once, durably, and from the disk with its next garbage
 *    collection. Removals that come close together share one.
 */
import { BuildError } from '../../../core/contracts/errors.js';
import type { Mount } from '../../../core/contracts/mount.js';
import type { SnapshotInfo, Snapshotter, SnapshotUsage } from '../../../core/contracts/snapshotter.js';
import { KeyLock } from '../../../core/util/key-lock.js';
import { Snapshots, type snapshots, type types } from '../../../proto/containerd.js';
import {
  snapshotExists,
  snapshotHasChildren,
  snapshotNotFound,
  snapshotWrongKind,
} from '../shared/snapshotters/errors.js';
import { type Containerd, explained, failedWith, unless } from './containerd-client.js';
import type { GarbageRuns } from './garbage-runs.js';

/** Marks what belongs to a worker: snapshots and containers. */
export const WORKER_LABEL = 'buildkit-ts.worker';

/** snapshots.proto, Kind. */
const kinds = { view: 1, active: 2, committed: 3 } as const;

const viewOf = (key: string): string => `${key}-view`;

export interface SnapshotterParts {
  readonly containerd: Containerd;
  readonly garbage: GarbageRuns;
  /** containerd's name for it. */
  readonly name: string;
  /** Known once the worker starts. */
  readonly workerId: () => string;
}

export class ContainerdSnapshotter implements Snapshotter {
  readonly name: string;
  readonly copiesParents: boolean;
  readonly #parts: SnapshotterParts;
  readonly #keys = new KeyLock<void>();
  readonly #views = new Map<string, readonly Mount[]>();

  constructor(parts: SnapshotterParts) {
    this.name = parts.name;
    this.copiesParents = parts.name === 'native';
    this.#parts = parts;
  }

  prepare(key: string, parent: string | undefined): Promise<void> {
    return this.#explain(`preparing snapshot ${key}`, () =>
      this.#keys.run(key, async () => {
        if (await this.#prepared(key, parent)) return;
        if (parent !== undefined) await this.#require(parent, 'committed');
        await this.#parts.containerd.call(Snapshots.Prepare, {
          snapshotter: this.name,
          key,
          parent: parent ?? '',
          labels: this.#labels,
        });
      }),
    );
  }

  mounts(key: string): Promise<readonly Mount[]> {
    return this.#explain(`mounts of snapshot ${key}`, async () => {
      const known = this.#views.get(key);
      if (known) return known;
      const { kind } = await this.#require(key);
      if (kind === 'committed') return this.#keys.run(key, () => this.#view(key));
      return this.#mountsOf(key);
    });
  }

  commit(name: string, key: string): Promise<void> {
    return this.#explain(`committing snapshot ${name}`, () =>
      this.#keys.run(name, async () => {
        const found = await this.stat(name);
        const source = await this.stat(key);
        if (found?.kind === 'committed' && source === undefined) return;
        if (found) throw snapshotExists(name, found.kind);
        if (!source) throw snapshotNotFound(key);
        if (source.kind !== 'active') throw snapshotWrongKind(key, source.kind, 'active');
        const { containerd } = this.#parts;
        await containerd.call(Snapshots.Commit, {
          snapshotter: this.name,
          name,
          key,
          labels: this.#labels,
        });
      }),
    );
  }

  remove(key: string): Promise<void> {
    return this.#explain(`removing snapshot ${key}`, () =>
      this.#keys.run(key, async () => {
        this.#views.delete(key);
        await unless('NotFound', this.#remove(viewOf(key)));
        await unless('NotFound', this.#remove(key)).catch((error: unknown) => this.#inUse(key, error));
        void this.#parts.garbage.soon();
      }),
    );
  }

  async stat(key: string): Promise<SnapshotInfo | undefined> {
    try {
      const { containerd } = this.#parts;
      const { info } = await containerd.call(Snapshots.Stat, { snapshotter: this.name, key });
      return info && described(info);
    } catch (error) {
      if (failedWith(error, 'NotFound')) return undefined;
      throw explained(error, `asking for snapshot ${key}`);
    }
  }

  usage(key: string, signal: AbortSignal): Promise<SnapshotUsage> {
    return this.#explain(`measuring snapshot ${key}`, async () => {
      const { containerd } = this.#parts;
      const { size, inodes } = await containerd.call(
        Snapshots.Usage,
        { snapshotter: this.name, key },
        signal,
      );
      return { bytes: size, inodes };
    });
  }

  async list(): Promise<readonly SnapshotInfo[]> {
    const { containerd, workerId } = this.#parts;
    const filters = [`labels."${WORKER_LABEL}"==${workerId()}`];
    const found: SnapshotInfo[] = [];
    for await (const { info } of containerd.list(Snapshots.List, { snapshotter: this.name, filters })) {
      found.push(...info.filter(({ kind }) => kind !== kinds.view).map(described));
    }
    return found;
  }

  get #labels(): Record<string, string> {
    return { [WORKER_LABEL]: this.#parts.workerId() };
  }

  /** Whether the same call was made before. */
  async #prepared(key: string, parent: string | undefined): Promise<boolean> {
    const found = await this.stat(key);
    if (!found) return false;
    if (found.kind !== 'active') throw snapshotExists(key, found.kind);
    if (found.parent !== parent) throw snapshotExists(key, `a child of ${found.parent ?? 'nothing'}`);
    return true;
  }

  async #require(key: string, kind?: SnapshotInfo['kind']): Promise<SnapshotInfo> {
    const found = await this.stat(key);
    if (!found) throw snapshotNotFound(key);
    if (kind && found.kind !== kind) throw snapshotWrongKind(key, found.kind, kind);
    return found;
  }

  async #view(parent: string): Promise<readonly Mount[]> {
    const { containerd } = this.#parts;
    const key = viewOf(parent);
    const request = { snapshotter: this.name, key, parent, labels: this.#labels };
    const mounts = await containerd.call(Snapshots.View, request).then(
      (view) => view.mounts.map(asMount),
      (error: unknown) => {
        if (!failedWith(error, 'AlreadyExists')) throw error;
        return this.#mountsOf(key);
      },
    );
    this.#views.set(parent, mounts);
    return mounts;
  }

  async #mountsOf(key: string): Promise<readonly Mount[]> {
    const { containerd } = this.#parts;
    const { mounts } = await containerd.call(Snapshots.Mounts, { snapshotter: this.name, key });
    return mounts.map(asMount);
  }

  #remove(key: string): Promise<unknown> {
    return this.#parts.containerd.call(Snapshots.Remove, { snapshotter: this.name, key });
  }

  async #inUse(key: string, error: unknown): Promise<never> {
    const children = (await this.list()).filter(({ parent }) => parent === key).length;
    throw children > 0 ? snapshotHasChildren(key, children) : error;
  }

  async #explain<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explained(error, doing);
    }
  }
}

const described = ({ name, parent, kind }: snapshots.Info): SnapshotInfo => ({
  key: name,
  kind: kind === kinds.committed ? 'committed' : 'active',
  parent: parent === '' ? undefined : parent,
});

function asMount({ type, source, options }: types.Mount): Mount {
  if (type === 'bind' || type === 'overlay' || type === 'tmpfs') return { type, source, options };
  throw new BuildError(
    'containerd.mount',
    `a snapshotter of containerd that answers mounts of type ${type} cannot be used`,
    { grpcCode: 'FailedPrecondition', hint: 'Use overlayfs or native: [worker.containerd] snapshotter.' },
  );
}
