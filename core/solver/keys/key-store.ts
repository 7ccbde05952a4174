/**
 * Which key leads where, and which results a key has. Survives restarts.
 *
 * Invariants: (1) a volatile key (`random:`) is in no row; (2) a result is named by at least one key, else it is
 * released; (3) every link can be found from both ends; (4) a key that has no result and leads nowhere is taken
 * out, with the links to it.
 *
 * Reads answer at once, from memory or the page cache. Changes are seen by the next read at once; the promise of
 * a change settles when it is durable.
 */
import type { Kv } from '../../contracts/kv.js';
import { Changes } from './changes.js';
import { isVolatile, type KeyId, newKey } from './key-id.js';
import { type KeyTables, openTables, type StoredResult } from './key-tables.js';
import { type InputKeys, type Origin, originName, originsOf } from './link.js';
import { forgetResult } from './release.js';

/** A key's older results beyond these are released when a newer one is added. */
const resultsPerKey = 2;

export class KeyStore {
  readonly #kv: Kv;
  readonly #tables: KeyTables;
  #queries = 0;

  constructor(kv: Kv) {
    this.#kv = kv;
    this.#tables = openTables(kv);
  }

  /** How many questions were asked so far: tests and benches bound it per vertex. */
  get queries(): number {
    return this.#queries;
  }

  /** The keys that `origin` leads to. */
  targets(origin: Origin): readonly KeyId[] {
    if (isVolatile(origin.from)) return [];
    this.#queries++;
    return this.#tables.links.get(originName(origin)) ?? [];
  }

  /** Results of a key, newest first. BuildKit: wire facts E5.14. */
  results(key: KeyId): readonly StoredResult[] {
    if (isVolatile(key)) return [];
    this.#queries++;
    return this.#tables.results.get(key) ?? [];
  }

  /**
   * The key that stands for a step with these inputs: an existing one when links of all inputs lead to it, else a
   * new one. Wire facts E5.2.
   */
  resolve(inputs: readonly InputKeys[]): KeyId {
    return this.#meeting(inputs) ?? newKey(inputs.some(onlyVolatile));
  }

  /** Makes every origin lead to `key`. */
  async link(origins: Iterable<Origin>, key: KeyId): Promise<void> {
    if (isVolatile(key)) return;
    const changes = new Changes();
    const added: string[] = [];
    for (const origin of origins) {
      if (isVolatile(origin.from)) continue;
      const name = originName(origin);
      const known = changes.get(this.#tables.links, name) ?? [];
      if (known.includes(key)) continue;
      changes.set(this.#tables.links, name, [...known, key]);
      added.push(name);
    }
    if (added.length > 0) {
      changes.set(this.#tables.origins, key, [...(this.#tables.origins.get(key) ?? []), ...added]);
    }
    await changes.apply(this.#kv);
  }

  /** Answers the ids of results that nothing names any more: the caller releases them. */
  async addResult(keys: readonly KeyId[], result: StoredResult): Promise<readonly string[]> {
    const changes = new Changes();
    const surplus = new Set([result.id]);
    for (const key of keys) {
      if (isVolatile(key)) continue;
      const others = (changes.get(this.#tables.results, key) ?? []).filter(({ id }) => id !== result.id);
      const sorted = [...others, result].sort((a, b) => b.createdAt - a.createdAt);
      for (const { id } of sorted.splice(resultsPerKey)) {
        changes.exclude(this.#tables.holders, id, (holder) => holder === key);
        surplus.add(id);
      }
      changes.set(this.#tables.results, key, sorted);
      if (sorted.some(({ id }) => id === result.id)) changes.include(this.#tables.holders, result.id, key);
    }
    const dropped = [...surplus].filter((id) => !changes.get(this.#tables.holders, id));
    await changes.apply(this.#kv);
    return dropped;
  }

  /** Takes a result out of every key; keys that lose their last use go as well. */
  async forget(resultId: string): Promise<void> {
    const changes = new Changes();
    forgetResult(this.#tables, changes, resultId);
    await changes.apply(this.#kv);
  }

  /** All results, to find those whose data is gone (start-up). */
  *resultIds(): Iterable<string> {
    for (const [id] of this.#tables.holders.entries()) yield id;
  }

  #meeting(inputs: readonly InputKeys[]): KeyId | undefined {
    let common: Set<KeyId> | undefined;
    for (const { definitions, content } of inputs) {
      const reached = new Set((content ? [content] : definitions).flatMap((origin) => this.targets(origin)));
      common = common ? intersect(common, reached) : reached;
      if (common.size === 0) return undefined;
    }
    return common?.values().next().value;
  }
}

const onlyVolatile = (input: InputKeys): boolean => originsOf(input).every(({ from }) => isVolatile(from));

const intersect = <T>(a: ReadonlySet<T>, b: ReadonlySet<T>): Set<T> =>
  new Set([...a].filter((e) => b.has(e)));
