/**
 * Rows of the key store. Every question of the solver is one read by name; only releasing scans.
 *
 * - links: origin -> the keys it leads to.
 * - results: key -> its results, newest first.
 * - origins: key -> the origins that lead to it (to take links out again).
 * - holders: result -> the keys that have it.
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
  readonly origins: KvTable<readonly string[]>;
  readonly holders: KvTable<readonly KeyId[]>;
}

export const openTables = (kv: Kv): KeyTables => ({
  links: kv.table('solver.links'),
  results: kv.table('solver.results'),
  origins: kv.table('solver.origins'),
  holders: kv.table('solver.holders'),
});
