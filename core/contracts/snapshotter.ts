import type { Mount } from './mount.js';
import { family, type TokenFamily } from './token.js';

/**
 * Keeps layers as directories. A snapshot is **active** (writable, made by `prepare`) or **committed**
 * (immutable, made by `commit`); a parent is always committed. Keys are chosen by the caller and unique over both
 * kinds. `remove` is durable when it resolves. What `prepare` and `commit` did is seen by all that is called after they
 * resolved, and is as durable as what is written to the key-value store from then on: a crash may take it back, but
 * never while something that was written later stays. Every method is idempotent under a repeated key, and after
 * `kill -9` a snapshot is active, committed or absent, never in between.
 *
 * ```ts
 * await snapshotter.prepare('work', base);          // base may be undefined: an empty tree
 * const mounts = await snapshotter.mounts('work');  // overlay of base below, writable on top
 * // … something writes into it …
 * await snapshotter.commit('layer', 'work');        // 'work' is gone, 'layer' is immutable
 * ```
 *
 * Chains may be of any length: a driver that the kernel limits flattens old parts by hard links.
 */
export interface Snapshotter {
  /** `overlayfs`, `native`, `fuse-overlayfs`. */
  readonly name: string;
  prepare(key: string, parent: string | undefined): Promise<void>;
  /** Preparing copies the parent. Who only adds to it, and never runs anything in it, can do without. */
  readonly copiesParents?: boolean;
  /** Committed snapshots are answered read-only. The caller mounts; nothing is mounted here. */
  mounts(key: string): Promise<readonly Mount[]>;
  commit(name: string, key: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Removes many, each before what it stands on; {@link removeSnapshots} does it one by one without it. */
  removeAll?(keys: readonly string[]): Promise<void>;
  stat(key: string): Promise<SnapshotInfo | undefined>;
  /** What the snapshot's own layer occupies on disk. */
  usage(key: string, signal: AbortSignal): Promise<SnapshotUsage>;
  list(): Promise<readonly SnapshotInfo[]>;
}
export interface SnapshotInfo {
  readonly key: string;
  readonly kind: 'active' | 'committed';
  readonly parent: string | undefined;
}
export interface SnapshotUsage {
  readonly bytes: number;
  readonly inodes: number;
}

/** Removes many, each before what it stands on. */
export async function removeSnapshots(snapshotter: Snapshotter, keys: readonly string[]): Promise<void> {
  if (snapshotter.removeAll) await snapshotter.removeAll(keys);
  else for (const key of keys) await snapshotter.remove(key);
}

export const Snapshotters: TokenFamily<Snapshotter> = family('Snapshotter');
