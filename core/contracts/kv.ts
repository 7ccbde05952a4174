import { type Token, token } from './token.js';

/**
 * The engine's one key-value store (records, links, history). Reads are synchronous and see a write as soon as
 * `write` was called; its promise resolves when the write is durable. A write is atomic over all its tables.
 */
export interface Kv extends AsyncDisposable {
  /** Opens a table; the name is part of the schema. Keys sort bytewise; values are JSON-like, or Uint8Array. */
  table<V>(name: string): KvTable<V>;
  /** Collects changes synchronously. Throwing inside discards them all. */
  write(change: (batch: KvBatch) => void): Promise<void>;
}
export interface KvTable<V> {
  readonly name: string;
  get(key: string): V | undefined;
  has(key: string): boolean;
  /** Entries whose key starts with `prefix`, in key order. */
  entries(prefix?: string): Iterable<readonly [key: string, value: V]>;
}
export interface KvBatch {
  put<V>(table: KvTable<V>, key: string, value: V): void;
  remove<V>(table: KvTable<V>, key: string): void;
}
export const Kv: Token<Kv> = token('Kv');
