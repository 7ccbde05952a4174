/** Taking results out, and with them the keys that have no use any more. */
import type { Changes } from './changes.js';
import type { KeyId } from './key-id.js';
import type { KeyTables } from './key-tables.js';
import { keyOfOrigin } from './link.js';

export function forgetResult(tables: KeyTables, changes: Changes, resultId: string): void {
  const keys = changes.get(tables.holders, resultId) ?? [];
  for (const key of keys) changes.exclude(tables.results, key, ({ id }) => id === resultId);
  changes.set(tables.holders, resultId, undefined);
  const doubtful = [...keys];
  for (let key = doubtful.pop(); key !== undefined; key = doubtful.pop()) {
    if (!isUsed(tables, changes, key)) doubtful.push(...removeKey(tables, changes, key));
  }
}

const isUsed = (tables: KeyTables, changes: Changes, key: KeyId): boolean =>
  changes.get(tables.results, key) !== undefined || leadsOn(tables, changes, key);

function leadsOn(tables: KeyTables, changes: Changes, key: KeyId): boolean {
  for (const [name] of tables.links.entries(`${key} `)) {
    if (changes.get(tables.links, name) !== undefined) return true;
  }
  return false;
}

/** Answers the keys that led to it: they may have become useless now. */
function removeKey(tables: KeyTables, changes: Changes, key: KeyId): readonly KeyId[] {
  const names = changes.get(tables.origins, key) ?? [];
  changes.set(tables.origins, key, undefined);
  for (const name of names) changes.exclude(tables.links, name, (target) => target === key);
  return [...new Set(names.map(keyOfOrigin))];
}
