/**
 * What was written but has not reached the database yet, laid over what has. Reads through it see every write at
 * once. Keys are compared bytewise, as the database sorts them.
 */
import { getOrAdd } from '../util/get-or-add.js';

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

/**
 * Waiting entries are kept in buckets by their first word: many tables pair two things in a name and are asked for one
 * of them, again and again while thousands of writes wait.
 */
export class Pending {
  readonly #tables = new Map<string, Map<string, Map<string, Waiting>>>();

  add(changes: readonly Change[], generation: number): void {
    for (const { table, key, value } of changes) {
      const buckets = getOrAdd(this.#tables, table, () => new Map<string, Map<string, Waiting>>());
      getOrAdd(buckets, firstWord(key), () => new Map<string, Waiting>()).set(key, { value, generation });
    }
  }

  /** Drops changes of `generation` that no later write has replaced. */
  settle(changes: readonly Change[], generation: number): void {
    for (const { table, key } of changes) {
      const buckets = this.#tables.get(table);
      const bucket = buckets?.get(firstWord(key));
      if (bucket?.get(key)?.generation !== generation) continue;
      bucket.delete(key);
      if (bucket.size === 0) buckets?.delete(firstWord(key));
    }
  }

  /** The waiting value (undefined inside: removed), or undefined when the database decides. */
  lookup(table: string, key: string): { readonly value: unknown } | undefined {
    return this.#tables.get(table)?.get(firstWord(key))?.get(key);
  }

  /** Entries of the database with the waiting ones merged in, in key order. */
  *merge(
    table: string,
    prefix: string,
    stored: Iterable<readonly [string, unknown]>,
  ): Iterable<readonly [string, unknown]> {
    const waiting = [...this.#waiting(table, prefix)].sort(([a], [b]) => compareKeys(a, b));
    let next = 0;
    for (const entry of stored) {
      while (next < waiting.length && compareKeys(waiting[next]![0], entry[0]) < 0)
        yield* present(waiting[next++]!);
      if (waiting[next]?.[0] === entry[0]) yield* present(waiting[next++]!);
      else yield entry;
    }
    for (const entry of waiting.slice(next)) yield* present(entry);
  }

  *#waiting(table: string, prefix: string): Iterable<readonly [string, unknown]> {
    const buckets = this.#tables.get(table);
    if (!buckets) return;
    const own = prefix.includes(' ') ? [buckets.get(firstWord(prefix)) ?? []] : buckets.values();
    for (const bucket of own) {
      for (const [key, { value }] of bucket) if (key.startsWith(prefix)) yield [key, value];
    }
  }
}

const firstWord = (key: string): string => key.slice(0, key.indexOf(' ') + 1);

/** Nothing for a removal. */
function* present(entry: readonly [string, unknown]): Iterable<readonly [string, unknown]> {
  if (entry[1] !== undefined) yield entry;
}

/** UTF-8 byte order; plain string comparison differs from it beyond the basic plane only. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
