import type { KvBatch, KvTable } from '../contracts/kv.js';
import type { Change } from './pending.js';

/** Runs `change` and answers what it collected, values as `copied`; a throw inside discards everything. */
export function collect(
  change: (batch: KvBatch) => void,
  copied: (value: unknown) => unknown = (value) => value,
): readonly Change[] {
  const batch = new Collected(copied);
  change(batch);
  return batch.changes;
}

class Collected implements KvBatch {
  readonly changes: Change[] = [];
  readonly #copied: (value: unknown) => unknown;

  constructor(copied: (value: unknown) => unknown) {
    this.#copied = copied;
  }

  put<V>(table: KvTable<V>, key: string, value: V): void {
    if (value === undefined) throw new TypeError(`undefined is no value (table ${table.name}, key ${key})`);
    this.changes.push({ table: table.name, key, value: this.#copied(value) });
  }

  remove<V>(table: KvTable<V>, key: string): void {
    this.changes.push({ table: table.name, key, value: undefined });
  }
}
