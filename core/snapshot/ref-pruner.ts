import fs from 'node:fs/promises';
import path from 'node:path';
import { collectBlobs } from '../content/garbage.js';
import type { ContentStore } from '../contracts/content.js';
import { canceled } from '../contracts/errors.js';
import type { PruneOptions, UsageRecord } from '../contracts/refs.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import type { Digest } from '../util/digest.js';
import { sha256 } from '../util/digest.js';
import { KeyLock } from '../util/key-lock.js';
import { type DiskUsage, describe, usageFilter } from './disk-usage.js';
import { bytesToKeep, byWorth } from './prune-plan.js';
import { blobsOf, type Entry, snapshotKey } from './record.js';
import type { RecordBook } from './record-book.js';

/** Blobs that nobody names are left this long to those who wrote them, ten minutes. */
const GRACE_MS = 600_000;

/**
 * Garbage collection. Only what nothing keeps can go, so children go before what they stand on, round by round.
 *
 * 1. With an aim in bytes, the least valuable record goes first, until the aim is met; the order is made anew whenever
 *    a record becomes free.
 * 2. A record leaves the books durably before its snapshot is removed, and its snapshot before its blobs: what a crash
 *    leaves behind is named by nothing, and swept.
 */
export class RefPruner {
  readonly #book: RecordBook;
  readonly #usage: DiskUsage;
  readonly #snapshotter: Snapshotter;
  readonly #content: ContentStore;
  readonly #freeSpace: () => Promise<number>;
  readonly #turn = new KeyLock<void>();

  constructor(
    book: RecordBook,
    usage: DiskUsage,
    snapshotter: Snapshotter,
    content: ContentStore,
    freeSpace = () => freeBytes(content),
  ) {
    this.#book = book;
    this.#usage = usage;
    this.#snapshotter = snapshotter;
    this.#content = content;
    this.#freeSpace = freeSpace;
  }

  async *prune(options: PruneOptions, signal: AbortSignal): AsyncIterable<UsageRecord> {
    const may = removable(options);
    const turn = await this.#turn.enter('', signal);
    const dropped = new Map<Digest, number>();
    try {
      yield* this.#rounds(options, may, dropped, signal);
    } finally {
      turn.leave(undefined);
      const keepSince = options.keepBlobsSince ?? Date.now() - GRACE_MS;
      await collectBlobs(this.#content, this.#book.blobHolds, { keepSince, letGo: dropped });
    }
  }

  async removeUnused(ids: readonly string[]): Promise<void> {
    const unused = [...this.#book.free()].filter((entry) => ids.includes(entry.id));
    const dropped = new Map<Digest, number>();
    await this.remove(unused, dropped);
    if (dropped.size === 0) return;
    const keepSince = Date.now() - GRACE_MS;
    await collectBlobs(this.#content, this.#book.blobHolds, { keepSince, letGo: dropped });
  }

  /** Rule 2. `dropped` collects the blobs that the entries kept, with the time. */
  async remove(entries: readonly Entry[], dropped = new Map<Digest, number>()): Promise<void> {
    const now = Date.now();
    for (const { record } of entries) for (const digest of blobsOf(record)) dropped.set(digest, now);
    await this.#book.drop(entries);
    const snapshots = entries.filter(({ record }) => !record.lazy);
    await Promise.all(snapshots.map(({ record }) => this.#snapshotter.remove(snapshotKey(record))));
  }

  async *#rounds(
    options: PruneOptions,
    may: (entry: Entry) => boolean,
    dropped: Map<Digest, number>,
    signal: AbortSignal,
  ): AsyncIterable<UsageRecord> {
    const bounded = options.maxUsedSpace !== 0 || options.reservedSpace !== 0 || options.minFreeSpace !== 0;
    let total = bounded ? await this.#usage.total(signal) : 0;
    const free = options.minFreeSpace === 0 ? 0 : await this.#freeSpace();
    const keep = bytesToKeep(total, free, options);
    while (keep === 0 || total >= keep) {
      const candidates = [...this.#book.free()].filter(may);
      if (candidates.length === 0) return;
      const { freed } = this.#book;
      for (const entry of keep === 0 ? candidates : byWorth(candidates)) {
        if (keep !== 0 && (total < keep || this.#book.freed !== freed)) break;
        if (signal.aborted) throw canceled(signal.reason);
        const size = await this.#usage.size(entry, signal);
        // It may have been taken meanwhile. From here to the books there must be no wait.
        if (!entry.free) continue;
        await this.remove([entry], dropped);
        total -= size;
        yield describe(entry, false, size);
      }
    }
  }
}

/** Which free entries a request speaks of. */
function removable(options: PruneOptions): (entry: Entry) => boolean {
  const matches = options.filter.length === 0 ? () => true : usageFilter(options.filter);
  const cutOff = Date.now() - options.keepDurationMs;
  return (entry) => {
    const { record, usage } = entry;
    if (!options.all && (record.type === 'internal' || record.type === 'frontend')) return false;
    if (options.keepDurationMs !== 0 && (usage.lastUsedAt ?? Number.NEGATIVE_INFINITY) > cutOff) return false;
    return matches(describe(entry, false, 0));
  };
}

async function freeBytes(content: ContentStore): Promise<number> {
  const { bsize, bfree } = await fs.statfs(path.dirname(content.path(sha256(''))));
  return bsize * bfree;
}
