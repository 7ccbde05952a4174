import fs from 'node:fs/promises';
import path from 'node:path';
import { collectBlobs } from '../content/garbage.js';
import type { ContentStore } from '../contracts/content.js';
import type { GcRule, PruneVerdict, UsageRecord } from '../contracts/refs.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import type { Digest } from '../util/digest.js';
import { sha256 } from '../util/digest.js';
import { KeyLock } from '../util/key-lock.js';
import type { DiskUsage } from './disk-usage.js';
import { dryPrune } from './dry-prune.js';
import { type PruneView, pruneRounds } from './prune-rounds.js';
import { blobsOf, type Entry, snapshotKey } from './record.js';
import type { RecordBook } from './record-book.js';
import { SnapshotRemoval } from './snapshot-removal.js';

/** Blobs that nobody names are left this long to those who wrote them, ten minutes. */
const GRACE_MS = 600_000;

/**
 * Garbage collection, one at a time. In which order: {@link pruneRounds}.
 *
 * A record leaves the books durably before its snapshot is removed, and its snapshot before its blobs: what a crash
 * leaves behind is named by nothing, and swept.
 */
export class RefPruner {
  readonly #book: RecordBook;
  readonly #usage: DiskUsage;
  readonly #content: ContentStore;
  readonly #freeSpace: () => Promise<number>;
  readonly #turn = new KeyLock<void>();
  readonly #removal: SnapshotRemoval;

  constructor(
    book: RecordBook,
    usage: DiskUsage,
    snapshotter: Snapshotter,
    content: ContentStore,
    freeSpace = () => freeBytes(content),
  ) {
    this.#book = book;
    this.#usage = usage;
    this.#removal = new SnapshotRemoval(snapshotter);
    this.#content = content;
    this.#freeSpace = freeSpace;
  }

  /** By one rule after the other; what nobody names any more of the blobs goes in the end. */
  async *collect(
    rules: readonly GcRule[],
    keepBlobsSince: number | undefined,
    signal: AbortSignal,
  ): AsyncIterable<UsageRecord> {
    const dropped = new Map<Digest, number>();
    const view = this.#view(dropped, signal);
    const turn = await this.#turn.enter('', signal);
    try {
      for (const rule of rules) yield* pruneRounds(view, rule, signal);
    } finally {
      turn.leave(undefined);
      const keepSince = keepBlobsSince ?? Date.now() - GRACE_MS;
      await collectBlobs(this.#content, this.#book.blobHolds, { keepSince, letGo: dropped });
    }
  }

  plan(rule: GcRule, signal: AbortSignal): Promise<readonly PruneVerdict[]> {
    return dryPrune(this.#view(new Map(), signal), this.#book, rule, signal);
  }

  async removeUnused(ids: readonly string[]): Promise<void> {
    const unused = [...this.#book.free()].filter((entry) => ids.includes(entry.id));
    const dropped = new Map<Digest, number>();
    await this.remove(unused, dropped);
    if (dropped.size === 0) return;
    const keepSince = Date.now() - GRACE_MS;
    await collectBlobs(this.#content, this.#book.blobHolds, { keepSince, letGo: dropped });
  }

  /** `dropped` collects the blobs that the entries kept, with the time. */
  async remove(entries: readonly Entry[], dropped = new Map<Digest, number>()): Promise<void> {
    const now = Date.now();
    for (const { record } of entries) for (const digest of blobsOf(record)) dropped.set(digest, now);
    const keys = entries.filter(({ record }) => !record.lazy).map(({ record }) => snapshotKey(record));
    await this.#removal.remove(this.#book.drop(entries), keys, () => this.#book.erase(entries));
  }

  #view(dropped: Map<Digest, number>, signal: AbortSignal): PruneView {
    const book = this.#book;
    return {
      free: () => book.free(),
      isFree: (entry) => entry.free,
      get freed() {
        return book.freed;
      },
      total: () => this.#usage.total(signal),
      freeSpace: this.#freeSpace,
      size: (entry) => this.#usage.measure(entry, signal),
      remove: (entries) => this.remove(entries, dropped),
    };
  }
}

async function freeBytes(content: ContentStore): Promise<number> {
  const { bsize, bfree } = await fs.statfs(path.dirname(content.path(sha256(''))));
  return bsize * bfree;
}
