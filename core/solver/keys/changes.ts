/** Reads see the writes of the change they belong to; nothing is stored before `apply`. */
import type { Kv, KvTable } from '../../contracts/kv.js';
import { getOrAdd } from '../../util/get-or-add.js';

export class Changes {
  readonly #rows = new Map<KvTable<unknown>, Map<string, unknown>>();

  get<V>(table: KvTable<V>, key: string): V | undefined {
    const rows = this.#rows.get(table);
    return rows?.has(key) ? (rows.get(key) as V | undefined) : table.get(key);
  }

  /** An undefined value removes the row. */
  set<V>(table: KvTable<V>, key: string, value: V | undefined): void {
    getOrAdd(this.#rows, table, () => new Map<string, unknown>()).set(key, value);
  }

  /** Adds to a list that has every element once. */
  include<E>(table: KvTable<readonly E[]>, key: string, element: E): void {
    const list = this.get(table, key) ?? [];
    if (!list.includes(element)) this.set(table, key, [...list, element]);
  }

  exclude<E>(table: KvTable<readonly E[]>, key: string, drop: (element: E) => boolean): void {
    const list = this.get(table, key);
    if (!list) return;
    const rest = list.filter((element) => !drop(element));
    if (rest.length < list.length) this.set(table, key, rest.length > 0 ? rest : undefined);
  }

  async apply(kv: Kv): Promise<void> {
    if (this.#rows.size === 0) return;
    await kv.write((batch) => {
      for (const [table, rows] of this.#rows) {
        for (const [key, value] of rows) {
          if (value === undefined) batch.remove(table, key);
          else batch.put(table, key, value);
        }
      }
    });
  }
}
