import type { KvBatch, KvTable } from '../contracts/kv.js';
import type { Change } from './pending.js';

/** Runs `change` and answers what it collected; a throw inside discards everything. */
export function collect(change: (batch: KvBatch) => void): readonly Change[] {
  const changes: Change[] = [];
  change({
    put: <V>(table: KvTable<V>, key: string, value: V) => {
      if (value === undefined) throw new TypeError(`undefined is no value (table ${table.name}, key ${key})`);
      changes.push({ table: table.name, key, value });
    },
    remove: (table, key) => {
      changes.push({ table: table.name, key, value: undefined });
    },
  });
  return changes;
}
