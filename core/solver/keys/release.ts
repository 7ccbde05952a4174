/** Taking results out, and with them the keys that have no use any more. */
import type { Changes } from './changes.js';
import type { KeyId } from './key-id.js';
import { type KeyTables, pair } from './key-tables.js';
import { keyOfOrigin } from './link.js';

export function forgetResult(tables: KeyTables, changes: Changes, resultId: string): void {
  const keys = [...changes.partners(tables.holders, resultId)];
  for (const key of keys) {
    changes.exclude(tables.results, key, ({ id }) => id === resultId);
    changes.set(tables.holders, pair(resultId, key), undefined);
  }
  forgetUseless(tables, changes, keys);
}

/** Takes out those of `keys` that have no use, and what is of no use without them. */
export function forgetUseless(tables: KeyTables, changes: Changes, keys: Iterable<KeyId>): void {
  const doubtful = [...keys];
  for (let key = doubtful.pop(); key !== undefined; key = doubtful.pop()) {
    if (!isUsed(tables, changes, key)) doubtful.push(...removeKey(tables, changes, key));
  }
}

export const isUsed = (tables: KeyTables, changes: Changes, key: KeyId): boolean =>
  changes.get(tables.results, key) !== undefined || leadsOn(tables, changes, key);

/** Names of links begin with the key they start from. */
function leadsOn(tables: KeyTables, changes: Changes, key: KeyId): boolean {
  for (const _ of changes.partners(tables.links, key)) return true;
  return false;
}

/** Answers the keys that led to it: they may have become useless now. */
function removeKey(tables: KeyTables, changes: Changes, key: KeyId): readonly KeyId[] {
  const origins = [...changes.partners(tables.origins, key)];
  for (const origin of origins) {
    changes.set(tables.origins, pair(key, origin), undefined);
    changes.exclude(tables.links, origin, (target) => target === key);
  }
  return [...new Set(origins.map(keyOfOrigin))];
}
