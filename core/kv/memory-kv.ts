import type { Kv, KvBatch, KvTable } from '../contracts/kv.js';
import { collect } from './batch.js';
import { closed } from './errors.js';
import { compareKeys } from './pending.js';

/** The store without a disk, for tests and for engines that keep nothing. Values are copied in and out. */
export class MemoryKv implements Kv {
  readonly #tables = new Map<string, Map<string, unknown>>();
  #closed = false;

  table<V>(name: string): KvTable<V> {
    return new MemoryTable<V>(name, this.#entries(name));
  }

  async write(change: (batch: KvBatch) => void): Promise<void> {
    if (this.#closed) throw closed();
    for (const { table, key, value } of collect(change, copyOf)) {
      if (value === undefined) this.#entries(table).delete(key);
      else this.#entries(table).set(key, value);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  #entries(name: string): Map<string, unknown> {
    const known = this.#tables.get(name);
    if (known) return known;
    const made = new Map<string, unknown>();
    this.#tables.set(name, made);
    return made;
  }
}

class MemoryTable<V> implements KvTable<V> {
  readonly name: string;
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(name: string, values: ReadonlyMap<string, unknown>) {
    this.name = name;
    this.#values = values;
  }

  get(key: string): V | undefined {
    return copyOf(this.#values.get(key)) as V | undefined;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  *entries(prefix = ''): Iterable<readonly [key: string, value: V]> {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
    for (const key of keys) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }
}

/** `structuredClone`, without its cost for the small values that are nearly all there is. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' ? structuredClone(value) : value;
  if (Array.isArray(value)) return value.map(copyOf);
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value);
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) if (typeof copy[key] === 'object') copy[key] = copyOf(copy[key]);
  return copy;
}
