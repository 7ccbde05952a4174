import fs from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { type Database, open as openLmdb, type RootDatabase } from 'lmdb';
import { Packr } from 'msgpackr';
import type { Kv, KvBatch, KvTable } from '../contracts/kv.js';
import { isErrno } from '../util/linux/system-error.js';
import { collect } from './batch.js';
import { closed, keyTooLong, notADatabase, notWritten, schemaMismatch } from './errors.js';
import { type Change, Pending } from './pending.js';

export interface LmdbKvOptions {
  /** Schema of the tables' values, written when the file is made and compared when it is opened. */
  readonly schema?: number;
}

/** Raise it when a table's values change in a way that old readers or writers would misread. */
export const KV_SCHEMA = 1;

interface EncodedChange extends Change {
  readonly encoded: Uint8Array | undefined;
}

interface Write {
  readonly changes: readonly EncodedChange[];
  readonly generation: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The store over one LMDB file. Tables share one LMDB database, `<table>\0<key>`, so that a write over several
 * tables is one transaction by construction.
 *
 * 1. One transaction is on its way at a time; writes that come meanwhile go into the next one together, and each
 *    costs a fraction of a flush to disk.
 * 2. A write is visible from the call on: what has not been committed yet is laid over what has ({@link Pending}).
 */
export class LmdbKv implements Kv {
  readonly #lmdb: RootDatabase<Uint8Array, Buffer>;
  readonly #pending = new Pending();
  #queue: Write[] = [];
  #flushing: Promise<void> | undefined;
  #generation = 0;
  #closed = false;
  /** Changes of a batch mostly share one promise. */
  #unwatched: Promise<boolean> | undefined;

  private constructor(lmdb: RootDatabase<Uint8Array, Buffer>) {
    this.#lmdb = lmdb;
  }

  /** Opens or makes the database file at `path`. Refuses a file of another schema. */
  static async open(path: string, options: LmdbKvOptions = {}): Promise<LmdbKv> {
    const schema = options.schema ?? KV_SCHEMA;
    const lmdb = await openFile(path);
    await fs.chmod(path, 0o600);
    const found = decode(lmdb.get(schemaKey));
    if (found !== undefined && found !== schema) {
      await lmdb.close();
      throw schemaMismatch(path, Number(found), schema);
    }
    if (found === undefined) await lmdb.put(schemaKey, codec.pack(schema));
    return new LmdbKv(lmdb);
  }

  table<V>(name: string): KvTable<V> {
    return new LmdbTable<V>(name, this.#lmdb, this.#pending);
  }

  async write(change: (batch: KvBatch) => void): Promise<void> {
    if (this.#closed) throw closed();
    // All that can be wrong with a write shows here, before any of it is under way.
    const changes = collect(change).map(encodeChange);
    if (changes.length === 0) return;
    const generation = ++this.#generation;
    this.#pending.add(changes, generation);
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ changes, generation, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#flushing;
    await this.#lmdb.close();
  }

  async #flush(): Promise<void> {
    // The rest of this turn may still add to the first transaction.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const writes = this.#queue.splice(0);
      let settle: (write: Write) => void = (write) => write.resolve();
      try {
        await this.#commit(writes);
      } catch (error) {
        settle = (write) => write.reject(error);
      }
      for (const write of writes) {
        this.#pending.settle(write.changes, write.generation);
        settle(write);
      }
    }
    this.#flushing = undefined;
  }

  /** `batch`, and not `transaction`: that one has to come back to this thread for its callback. */
  async #commit(writes: readonly Write[]): Promise<void> {
    try {
      await this.#lmdb.batch(() => {
        for (const { changes } of writes) for (const change of changes) this.#apply(change);
      });
      await this.#lmdb.flushed;
    } catch (error) {
      throw notWritten(await reasonOf(error));
    }
  }

  #apply({ table, key, value, encoded }: EncodedChange): void {
    const at = encodeKey(table, key);
    const done = value === undefined ? this.#lmdb.remove(at) : this.#lmdb.put(at, encoded!);
    if (done === this.#unwatched) return;
    this.#unwatched = done;
    // It fails as the whole batch does, which is where that is told.
    done.catch(() => {});
  }
}

/** What a failed commit says of itself is where to look. That is told in the same turn, or never. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> };
  if (!commitError) return error;
  const reason = commitError.catch((cause: unknown) => cause);
  return Promise.race([reason, turn().then(() => error)]);
}

class LmdbTable<V> implements KvTable<V> {
  readonly name: string;
  readonly #lmdb: Database<Uint8Array, Buffer>;
  readonly #pending: Pending;

  constructor(name: string, lmdb: Database<Uint8Array, Buffer>, pending: Pending) {
    this.name = name;
    this.#lmdb = lmdb;
    this.#pending = pending;
  }

  get(key: string): V | undefined {
    const waiting = this.#pending.lookup(this.name, key);
    return (waiting ? waiting.value : decode(this.#lmdb.get(encodeKey(this.name, key)))) as V | undefined;
  }

  has(key: string): boolean {
    const waiting = this.#pending.lookup(this.name, key);
    return waiting ? waiting.value !== undefined : this.#lmdb.doesExist(encodeKey(this.name, key));
  }

  entries(prefix = ''): Iterable<readonly [key: string, value: V]> {
    const merged = this.#pending.merge(this.name, prefix, this.#stored(prefix));
    return merged as Iterable<readonly [string, V]>;
  }

  *#stored(prefix: string): Iterable<readonly [string, unknown]> {
    const start = encodeKey(this.name, prefix);
    const end = Buffer.from(start);
    // UTF-8 never has a byte 0xff, so the last byte can always be raised.
    end[end.length - 1] = end[end.length - 1]! + 1;
    const skip = Buffer.byteLength(this.name) + 1;
    for (const { key, value } of this.#lmdb.getRange({ start, end })) {
      yield [key.toString('utf8', skip), decode(value)];
    }
  }
}

/** Values carry their property names, so that a file can be read without anything beside it. */
const codec = new Packr({ useRecords: false });

export const decode = (bytes: Uint8Array | undefined): unknown => bytes && codec.unpack(bytes);

function encodeChange(change: Change): EncodedChange {
  checkKey(change.table, change.key);
  return { ...change, encoded: change.value === undefined ? undefined : codec.pack(change.value) };
}

const schemaKey = encodeKey('', 'schema');

function encodeKey(table: string, key: string): Buffer {
  return Buffer.from(`${table}\0${key}`);
}

/** lmdb-js: the longest key that fits its page layout. */
const MAX_KEY = 1978;

function checkKey(table: string, key: string): void {
  const longest = MAX_KEY - table.length - 1;
  if (key.length * 3 > longest && Buffer.byteLength(key) > longest) throw keyTooLong(table, key, longest);
}

/** LMDB: mdb.c MDB_MAGIC, in the first meta page behind the page header of 64-bit machines. */
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;

/** The library maps whatever it is given and dies of what is no database, so the first page is looked at before. */
async function checkMagic(path: string): Promise<void> {
  const page = Buffer.alloc(MAGIC_OFFSET + 4);
  const file = await fs.open(path, 'r').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!file) return;
  try {
    const { bytesRead } = await file.read(page, 0, page.length, 0);
    if (bytesRead === 0) return;
    if (page.readUInt32LE(MAGIC_OFFSET) !== MAGIC) throw new Error('it is not an LMDB file');
  } finally {
    await file.close();
  }
}

export async function openFile(path: string, readOnly = false): Promise<RootDatabase<Uint8Array, Buffer>> {
  try {
    await checkMagic(path);
    // Writes come in batches already. The library's own ones, a turn each, leave the failure of a commit unhandled.
    const eventTurnBatching = false;
    const shape = { keyEncoding: 'binary', noSubdir: true, encoding: 'binary', eventTurnBatching } as const;
    return openLmdb<Uint8Array, Buffer>({ path, readOnly, ...shape });
  } catch (error) {
    throw notADatabase(path, error);
  }
}
