/**
 * What was written but has not reached the database yet, laid over what has. Reads through it see every write at
 * once. Keys are compared bytewise, as the database sorts them.
 */
export interface Change {
  readonly table: string;
  readonly key: string;
  /** undefined removes. */
  readonly value: unknown;
}

interface Waiting {
  readonly value: unknown;
  readonly generation: number;
}

export class Pending {
  readonly #tables = new Map<string, Map<string, Waiting>>();

  add(changes: readonly Change[], generation: number): void {
    for (const { table, key, value } of changes) {
      const waiting = this.#tables.get(table) ?? new Map<string, Waiting>();
      this.#tables.set(table, waiting);
      waiting.set(key, { value, generation });
    }
  }

  /** Drops changes of `generation` that no later write has replaced. */
  settle(changes: readonly Change[], generation: number): void {
    for (const { table, key } of changes) {
      const waiting = this.#tables.get(table);
      if (waiting?.get(key)?.generation === generation) waiting.delete(key);
    }
  }

  /** The waiting value (undefined inside: removed), or undefined when the database decides. */
  lookup(table: string, key: string): { readonly value: unknown } | undefined {
    return this.#tables.get(table)?.get(key);
  }

  /** Entries of the database with the waiting ones merged in, in key order. */
  *merge(
    table: string,
    prefix: string,
    stored: Iterable<readonly [string, unknown]>,
  ): Iterable<readonly [string, unknown]> {
    const waiting = [...(this.#tables.get(table) ?? [])]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { value }]) => [key, value] as const)
      .sort(([a], [b]) => compareKeys(a, b));
    let next = 0;
    for (const entry of stored) {
      while (next < waiting.length && compareKeys(waiting[next]![0], entry[0]) < 0)
        yield* present(waiting[next++]!);
      if (waiting[next]?.[0] === entry[0]) yield* present(waiting[next++]!);
      else yield entry;
    }
    for (const entry of waiting.slice(next)) yield* present(entry);
  }
}

/** Nothing for a removal. */
function* present(entry: readonly [string, unknown]): Iterable<readonly [string, unknown]> {
  if (entry[1] !== undefined) yield entry;
}

/** UTF-8 byte order; plain string comparison differs from it beyond the basic plane only. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
