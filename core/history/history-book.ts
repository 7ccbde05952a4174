/**
 * The records of builds on disk, and the blobs that each keeps.
 *
 * 1. A build stands in `history-running` from its start to its end, and in `history` from then on; one batch takes it
 *    from the one to the other. What is found in the former at the start was cut off with the daemon.
 * 2. A record and its holds change in one batch. Blobs are held before they are written ({@link HistoryBook.hold}), so
 *    that no collection comes in between.
 */
import { control } from '../../proto/index.js';
import { ALONE, BlobHolds } from '../content/blob-holds.js';
import type { Kv, KvBatch, KvTable } from '../contracts/kv.js';
import type { Digest } from '../util/digest.js';

export type BuildRecord = control.BuildHistoryRecord;

interface Stored {
  /** Marshalled, so that fields this version does not know are no matter of the store's schema. */
  readonly record: Uint8Array;
  readonly blobs: readonly Digest[];
}

export class HistoryBook {
  readonly #kv: Kv;
  readonly #holds: BlobHolds;
  readonly #records: KvTable<Stored>;
  readonly #running: KvTable<Uint8Array>;

  constructor(kv: Kv) {
    this.#kv = kv;
    this.#holds = new BlobHolds(kv);
    this.#records = kv.table('history');
    this.#running = kv.table('history-running');
  }

  begin(record: BuildRecord): Promise<void> {
    return this.#kv.write((batch) => batch.put(this.#running, record.Ref, marshal(record)));
  }

  /** Builds that have no end. */
  running(): BuildRecord[] {
    return [...this.#running.entries()].map(([, bytes]) => unmarshal(bytes));
  }

  /** Rule 2. */
  hold(ref: string, digests: readonly Digest[]): Promise<void> {
    return this.#kv.write((batch) => this.#keep(batch, ref, digests));
  }

  /** Writes the record of a build that is over. It keeps `blobs`, and none that it kept before. */
  put(record: BuildRecord, blobs: readonly Digest[]): Promise<void> {
    const { Ref: ref } = record;
    const before = this.#records.get(ref)?.blobs ?? [];
    return this.#kv.write((batch) => {
      batch.remove(this.#running, ref);
      this.#release(batch, ref, before);
      this.#keep(batch, ref, blobs);
      batch.put(this.#records, ref, { record: marshal(record), blobs: [...blobs] });
    });
  }

  /** A build that ended without a record. */
  forget(ref: string): Promise<void> {
    const stray = [...this.#holds.by(holderOf(ref))].filter(({ holder }) => holder === holderOf(ref));
    const kept = new Set(this.#records.get(ref)?.blobs ?? []);
    return this.#kv.write((batch) => {
      batch.remove(this.#running, ref);
      const lost = stray.map(({ digest }) => digest).filter((digest) => !kept.has(digest));
      this.#release(batch, ref, lost);
    });
  }

  get(ref: string): BuildRecord | undefined {
    const stored = this.#records.get(ref);
    return stored && unmarshal(stored.record);
  }

  blobs(ref: string): readonly Digest[] {
    return this.#records.get(ref)?.blobs ?? [];
  }

  *all(): Iterable<BuildRecord> {
    for (const [, { record }] of this.#records.entries()) yield unmarshal(record);
  }

  /** Answers the blobs that it kept. */
  async remove(ref: string): Promise<readonly Digest[]> {
    const blobs = this.blobs(ref);
    await this.#kv.write((batch) => {
      batch.remove(this.#records, ref);
      this.#release(batch, ref, blobs);
    });
    return blobs;
  }

  held(digest: Digest): boolean {
    return this.#holds.held(digest);
  }

  #keep(batch: KvBatch, ref: string, digests: readonly Digest[]): void {
    for (const digest of digests) this.#holds.hold(batch, digest, holderOf(ref));
  }

  #release(batch: KvBatch, ref: string, digests: readonly Digest[]): void {
    for (const digest of digests) this.#holds.release(batch, digest, holderOf(ref));
  }
}

const holderOf = (ref: string): string => `${ALONE}history:${ref}`;
const marshal = (record: BuildRecord): Uint8Array => control.BuildHistoryRecord.encode(record).finish();
const unmarshal = (bytes: Uint8Array): BuildRecord => control.BuildHistoryRecord.decode(bytes);
