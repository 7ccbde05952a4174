/**
 * Rows of the key store. Every question of the solver is one read by name; only releasing scans, by prefix.
 *
 * - links: origin -> the keys it leads to.
 * - results: key -> its results, newest first.
 * - origins: `key origin` for every link, to take links out again.
 * - holders: `result key` for every key that has the result.
 */
import type { Kv, KvTable } from '../../contracts/kv.js';
import type { KeyId } from './key-id.js';

export interface StoredResult {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface KeyTables {
  readonly links: KvTable<readonly KeyId[]>;
  readonly results: KvTable<readonly StoredResult[]>;
  readonly origins: KvTable<true>;
  readonly holders: KvTable<true>;
}

export const openTables = (kv: Kv): KeyTables => ({
  links: kv.table('solver.links'),
  results: kv.table('solver.results'),
  origins: kv.table('solver.origins'),
  holders: kv.table('solver.holders'),
});

/** Names of rows that pair two things. No key, origin or result that comes first has a space in it. */
export const pair = (first: string, second: string): string => [first, second].join(' ');

export const firstOf = (name: string): string => name.slice(0, name.indexOf(' '));
