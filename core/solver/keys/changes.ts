/** Reads see the writes of the change they belong to; nothing is stored before `apply`. */
import type { Kv, KvTable } from '../../contracts/kv.js';
import { getOrAdd } from '../../util/get-or-add.js';
import { pair } from './key-tables.js';

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

  /** What follows `first` in the names of rows that pair it with something. */
  *partners(table: KvTable<unknown>, first: string): Iterable<string> {
    const prefix = pair(first, '');
    const names = [...(this.#rows.get(table)?.keys() ?? [])].filter(
      (name) => name.startsWith(prefix) && !table.has(name),
    );
    for (const [name] of table.entries(prefix)) if (this.#has(table, name)) yield name.slice(prefix.length);
    for (const name of names) if (this.#has(table, name)) yield name.slice(prefix.length);
  }

  #has(table: KvTable<unknown>, key: string): boolean {
    const rows = this.#rows.get(table);
    return rows?.has(key) ? rows.get(key) !== undefined : table.has(key);
  }

  /** Takes elements out of a list; an empty list is no row. */
  exclude<E>(table: KvTable<readonly E[]>, key: string, drop: (element: E) => boolean): void {
    const rest = (this.get(table, key) ?? []).filter((element) => !drop(element));
    this.set(table, key, rest.length > 0 ? rest : undefined);
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
