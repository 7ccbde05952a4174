import { BlobHolds } from '../content/blob-holds.js';
import type { Kv, KvBatch, KvTable } from '../contracts/kv.js';
import type { Logger } from '../contracts/logger.js';
import type { Digest } from '../util/digest.js';
import { refNotFound } from './errors.js';
import { blobsOf, Entry, type RefRecord, type RefUsage, restsOn } from './record.js';
import { RefNames } from './ref-names.js';

/**
 * All records of one worker, in memory and in the key-value store.
 *
 * 1. A record and the blobs it keeps are written in one batch.
 * 2. An entry counts its handles, children and holders; `free` lists those that nothing keeps.
 */
export class RecordBook {
  readonly #kv: Kv;
  readonly #logger: Logger;
  readonly #records: KvTable<RefRecord>;
  readonly #usage: KvTable<RefUsage>;
  readonly #metadata: KvTable<Uint8Array>;
  readonly #holders: KvTable<true>;
  readonly #blobs: BlobHolds;
  readonly #workerId: string;
  readonly #entries = new Map<string, Entry>();
  readonly #free = new Set<Entry>();
  readonly #names = new RefNames();
  readonly #unawaited = new Set<Promise<void>>();
  #freed = 0;

  constructor(workerId: string, kv: Kv, logger: Logger) {
    this.#workerId = workerId;
    this.#kv = kv;
    this.#logger = logger;
    this.#records = kv.table(`refs/${workerId}`);
    this.#usage = kv.table(`ref-usage/${workerId}`);
    this.#metadata = kv.table(`ref-metadata/${workerId}`);
    this.#holders = kv.table(`ref-holders/${workerId}`);
    this.#blobs = new BlobHolds(kv);
    this.#load();
  }

  /** True also before anything was opened. */
  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  require(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw refNotFound(id);
    return entry;
  }

  parentOf(entry: Entry): Entry | undefined {
    return entry.record.parent === undefined ? undefined : this.require(entry.record.parent);
  }

  /** All that the entry is made of, directly. */
  below(entry: Entry): readonly Entry[] {
    return restsOn(entry.record).map((id) => this.require(id));
  }

  /**
   * The layers of its tree, bottom first. Each is a record that was written or pulled, or a computed difference; of a
   * merge there are those it applies.
   */
  layersOf(entry: Entry): readonly Entry[] {
    const layers: Entry[] = [];
    for (let at: Entry | undefined = entry; at; at = this.parentOf(at)) {
      const { applied } = at.record;
      if (!applied) layers.push(at);
      else for (const id of applied.toReversed()) layers.push(this.require(id));
    }
    return layers.reverse();
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  free(): Iterable<Entry> {
    return this.#free;
  }

  /** Rises whenever an entry becomes free. */
  get freed(): number {
    return this.#freed;
  }

  /** Newest first. */
  byIndex(index: string): readonly Entry[] {
    return this.#names.byIndex(index);
  }

  indexes(): Iterable<string> {
    return this.#names.indexes();
  }

  byChain(chainId: Digest): Entry | undefined {
    return this.#names.byChain(chainId);
  }

  /** In memory; `save` keeps it. */
  add(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    for (const below of this.below(entry)) {
      below.children += 1;
      this.#noteFree(below);
    }
    this.#names.list(entry);
    this.#noteFree(entry);
  }

  acquire(entry: Entry): void {
    entry.handles += 1;
    this.#noteFree(entry);
  }

  /** One handle less; the last one counts as a use. */
  letGo(entry: Entry): void {
    entry.handles -= 1;
    if (entry.handles === 0 && !entry.gone) {
      this.setUsage(entry, {
        ...entry.usage,
        lastUsedAt: Date.now(),
        usageCount: entry.usage.usageCount + 1,
      });
    }
    this.#noteFree(entry);
  }

  save(batch: KvBatch, entry: Entry): void {
    entry.saved = true;
    this.#put(batch, entry.record);
  }

  /** Replaces parts of the record, durably. */
  async update(entry: Entry, change: Partial<RefRecord>): Promise<void> {
    this.#replace(entry, { ...entry.record, ...change });
    if (entry.gone) return;
    await this.#kv.write((batch) => this.save(batch, entry));
  }

  /**
   * The same without waiting for the disk. The store keeps the order of writes: what names the entry, and what stands
   * on it, gets there after it.
   */
  updateSoon(entry: Entry, change: Partial<RefRecord>): void {
    this.#replace(entry, { ...entry.record, ...change });
    if (entry.gone) return;
    const writing = this.#kv.write((batch) => this.save(batch, entry));
    this.unawaited(writing, 'a ref was not recorded');
  }

  /** Shows at once, and is written when what the blob of the layer waits for has happened. */
  updateWhen(kept: Promise<void>, entry: Entry, change: Partial<RefRecord>): void {
    this.#replace(entry, { ...entry.record, ...change });
    entry.keeping = kept.then(async () => {
      entry.providers = [];
      entry.teller = undefined;
      entry.keeping = undefined;
      if (!entry.gone) await this.#kv.write((batch) => this.save(batch, entry));
    });
    this.unawaited(entry.keeping, 'the blob of a pulled layer was not kept');
  }

  write(change: (batch: KvBatch) => void): Promise<void> {
    return this.#kv.write(change);
  }

  /**
   * Takes entries off the books, at once in memory, durably when it resolves. Children come before parents. What was
   * never written down costs no write.
   */
  drop(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.#forget(entry);
    return this.erase(entries);
  }

  /** On the disk alone, for those that were dropped. */
  erase(entries: readonly Entry[]): Promise<void> {
    return this.#kv.write((batch) => {
      for (const entry of entries) {
        if (entry.saved) this.#erase(batch, entry);
        else this.#eraseMetadata(batch, entry);
      }
    });
  }

  setUsage(entry: Entry, usage: RefUsage): void {
    entry.usage = usage;
    if (!entry.saved) return;
    // May be lost.
    const writing = this.#kv.write((batch) => batch.put(this.#usage, entry.id, usage));
    this.unawaited(writing, 'the use of a ref was not recorded');
  }

  async hold(entry: Entry, holder: string): Promise<void> {
    entry.holders.add(holder);
    this.#noteFree(entry);
    await this.#kv.write((batch) => batch.put(this.#holders, `${entry.id} ${holder}`, true));
  }

  async release(id: string, holder: string): Promise<void> {
    const entry = this.#entries.get(id);
    entry?.holders.delete(holder);
    if (entry) this.#noteFree(entry);
    await this.#kv.write((batch) => batch.remove(this.#holders, `${id} ${holder}`));
  }

  metadata(id: string, key: string): Uint8Array | undefined {
    return this.#metadata.get(`${id} ${key}`);
  }

  setMetadata(id: string, key: string, value: Uint8Array | undefined): Promise<void> {
    return this.#kv.write((batch) => {
      if (value === undefined) batch.remove(this.#metadata, `${id} ${key}`);
      else batch.put(this.#metadata, `${id} ${key}`, value);
    });
  }

  blobHeld(digest: Digest): boolean {
    return this.#blobs.held(digest);
  }

  get blobHolds(): BlobHolds {
    return this.#blobs;
  }

  /** For what nobody waits for; that it failed is worth a warning. */
  unawaited(work: Promise<void>, problem: string): void {
    const running = work
      .catch((err: unknown) => this.#logger.warn(problem, { err }))
      .finally(() => this.#unawaited.delete(running));
    this.#unawaited.add(running);
  }

  /** Waits for the rest of that. */
  async settle(): Promise<void> {
    await Promise.all(this.#unawaited);
  }

  /** Removes what stands beside records that no longer exist. */
  async sweep(): Promise<void> {
    const orphans = <V>(table: KvTable<V>): readonly string[] =>
      [...table.entries()].map(([key]) => key).filter((key) => !this.#entries.has(key.split(' ', 1)[0]!));
    const prefix = `ref:${this.#workerId}/`;
    const lost = [...this.#blobs.by(prefix)].filter(
      ({ holder }) => !this.#entries.has(holder.slice(prefix.length)),
    );
    await this.#kv.write((batch) => {
      for (const table of [this.#usage, this.#metadata, this.#holders] as const) {
        for (const key of orphans<unknown>(table)) batch.remove(table as KvTable<unknown>, key);
      }
      for (const { digest, holder } of lost) this.#blobs.release(batch, digest, holder);
    });
  }

  #load(): void {
    for (const record of belowFirst(new Map(this.#records.entries()))) {
      // A record that rests on a missing one cannot be used.
      if (!restsOn(record).every((id) => this.#entries.has(id))) continue;
      const entry = new Entry(record);
      entry.saved = true;
      entry.usage = this.#usage.get(record.id) ?? entry.usage;
      this.add(entry);
    }
    for (const [key] of this.#holders.entries()) {
      const space = key.indexOf(' ');
      const entry = this.#entries.get(key.slice(0, space));
      entry?.holders.add(key.slice(space + 1));
      if (entry) this.#noteFree(entry);
    }
  }

  #put(batch: KvBatch, record: RefRecord): void {
    batch.put(this.#records, record.id, record);
    for (const digest of blobsOf(record)) this.#blobs.hold(batch, digest, this.#blobHolder(record.id));
  }

  #replace(entry: Entry, record: RefRecord): void {
    this.#names.unlist(entry);
    entry.record = record;
    this.#names.list(entry);
  }

  #forget(entry: Entry): void {
    entry.gone = true;
    const below = this.below(entry);
    this.#entries.delete(entry.id);
    this.#free.delete(entry);
    this.#names.unlist(entry);
    for (const each of below) {
      each.children -= 1;
      this.#noteFree(each);
    }
  }

  #erase(batch: KvBatch, entry: Entry): void {
    batch.remove(this.#records, entry.id);
    batch.remove(this.#usage, entry.id);
    this.#eraseMetadata(batch, entry);
    for (const holder of entry.holders) batch.remove(this.#holders, `${entry.id} ${holder}`);
    for (const digest of blobsOf(entry.record))
      this.#blobs.release(batch, digest, this.#blobHolder(entry.id));
  }

  #eraseMetadata(batch: KvBatch, entry: Entry): void {
    for (const [key] of this.#metadata.entries(`${entry.id} `)) batch.remove(this.#metadata, key);
  }

  #noteFree(entry: Entry): void {
    if (!entry.free || this.#entries.get(entry.id) !== entry) this.#free.delete(entry);
    else if (!this.#free.has(entry)) {
      this.#free.add(entry);
      this.#freed += 1;
    }
  }

  #blobHolder(id: string): string {
    return `ref:${this.#workerId}/${id}`;
  }
}

/** Every record after those that it rests on. */
function* belowFirst(records: ReadonlyMap<string, RefRecord>): Iterable<RefRecord> {
  const done = new Set<string>();
  for (const root of records.values()) {
    const open = [{ record: root, below: restsOn(root).values() }];
    for (let at = open.at(-1); at; at = open.at(-1)) {
      const next = at.below.next();
      const record = next.done ? undefined : records.get(next.value);
      if (record && !done.has(record.id)) open.push({ record, below: restsOn(record).values() });
      else if (next.done) {
        open.pop();
        if (!done.has(at.record.id)) yield at.record;
        done.add(at.record.id);
      }
    }
  }
}
