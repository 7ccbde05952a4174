/** Reads see the writes of the change they belong to; nothing is stored before `apply`. */
import type { Kv, KvTable } from '../../contracts/kv.js';
import { getOrAdd } from '../../util/get-or-add.js';
import { pair } from './key-tables.js';

interface Row {
  readonly table: KvTable<unknown>;
  readonly key: string;
  /** undefined removes the row. */
  value: unknown;
}

/** Up to so many rows are searched one by one: nearly every change has two or three. */
const fewRows = 8;

export class Changes {
  readonly #rows: Row[] = [];
  #index: Map<KvTable<unknown>, Map<string, Row>> | undefined;

  get<V>(table: KvTable<V>, key: string): V | undefined {
    const row = this.#find(table, key);
    return row ? (row.value as V | undefined) : table.get(key);
  }

  /** An undefined value removes the row. */
  set<V>(table: KvTable<V>, key: string, value: V | undefined): void {
    const known = this.#find(table, key);
    if (known) known.value = value;
    else this.#add({ table, key, value });
  }

  /** What follows `first` in the names of rows that pair it with something. */
  *partners(table: KvTable<unknown>, first: string): Iterable<string> {
    const prefix = pair(first, '');
    const names = this.#rows
      .filter((row) => row.table === table && row.key.startsWith(prefix) && !table.has(row.key))
      .map(({ key }) => key);
    for (const [name] of table.entries(prefix)) if (this.#has(table, name)) yield name.slice(prefix.length);
    for (const name of names) if (this.#has(table, name)) yield name.slice(prefix.length);
  }

  /** Takes elements out of a list; an empty list is no row. */
  exclude<E>(table: KvTable<readonly E[]>, key: string, drop: (element: E) => boolean): void {
    const rest = (this.get(table, key) ?? []).filter((element) => !drop(element));
    this.set(table, key, rest.length > 0 ? rest : undefined);
  }

  apply(kv: Kv): Promise<void> {
    if (this.#rows.length === 0) return Promise.resolve();
    return kv.write((batch) => {
      for (const { table, key, value } of this.#rows) {
        if (value === undefined) batch.remove(table, key);
        else batch.put(table, key, value);
      }
    });
  }

  #has(table: KvTable<unknown>, key: string): boolean {
    const row = this.#find(table, key);
    return row ? row.value !== undefined : table.has(key);
  }

  #find(table: KvTable<unknown>, key: string): Row | undefined {
    if (this.#index) return this.#index.get(table)?.get(key);
    for (const row of this.#rows) if (row.key === key && row.table === table) return row;
    return undefined;
  }

  #add(row: Row): void {
    this.#rows.push(row);
    if (this.#index) this.#enter(this.#index, row);
    else if (this.#rows.length > fewRows) {
      this.#index = new Map();
      for (const each of this.#rows) this.#enter(this.#index, each);
    }
  }

  #enter(index: Map<KvTable<unknown>, Map<string, Row>>, row: Row): void {
    getOrAdd(index, row.table, () => new Map<string, Row>()).set(row.key, row);
  }
}
