/**
 * Which key leads where, and which results a key has. Survives restarts.
 *
 * Invariants: (1) a volatile key (`random:`) is in no row; (2) a result is named by at least one key, else it is
 * released; (3) every link can be found from both ends; (4) a key that has no result and leads nowhere is taken
 * out, with the links to it: at once when it loses its last result, and when nothing is solved any more if it never
 * got one (a step that was given up before it was recorded).
 *
 * Reads answer at once, from memory or the page cache. Changes are seen by the next read at once; the promise of
 * a change settles when it is durable.
 */
import type { Kv, KvBatch } from '../../contracts/kv.js';
import { Changes } from './changes.js';
import { isVolatile, type KeyId, newKey } from './key-id.js';
import { firstOf, type KeyTables, openTables, pair, type StoredResult } from './key-tables.js';
import { type InputKeys, type Origin, type OriginName, originsOf, parseOriginName } from './link.js';
import { forgetResult, forgetUseless, isUsed } from './release.js';

/** A key's older results beyond these are released when a newer one is added. */
const resultsPerKey = 2;

const none: readonly never[] = [];

export class KeyStore {
  readonly #kv: Kv;
  readonly #tables: KeyTables;
  /** Keys that links were made to and that got no result since: most get one a moment later. */
  readonly #unproven = new Set<KeyId>();
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
  targets(origin: OriginName): readonly KeyId[] {
    if (isVolatile(origin)) return none;
    this.#queries++;
    return this.#tables.links.get(origin) ?? none;
  }

  /** All that leads to a key. */
  origins(key: KeyId): readonly Origin[] {
    return [...new Changes().partners(this.#tables.origins, key)].map(parseOriginName);
  }

  /** All keys that have a result. */
  holders(resultId: string): readonly KeyId[] {
    return [...new Changes().partners(this.#tables.holders, resultId)];
  }

  /** Results of a key, newest first. BuildKit: wire facts E5.14. */
  results(key: KeyId): readonly StoredResult[] {
    if (isVolatile(key)) return none;
    this.#queries++;
    return this.#tables.results.get(key) ?? none;
  }

  /**
   * The key that stands for a step with these inputs: an existing one when links of all inputs lead to it, else a
   * new one. Wire facts E5.2.
   */
  resolve(inputs: readonly InputKeys[]): KeyId {
    return this.#meeting(inputs) ?? newKey(inputs.some(onlyVolatile));
  }

  /** Makes all that stands for these inputs lead to `key`. */
  link(inputs: Iterable<InputKeys>, key: KeyId): Promise<void> {
    if (isVolatile(key)) return Promise.resolve();
    this.#unproven.add(key);
    return this.#kv.write((batch) => {
      for (const { definitions, content } of inputs) {
        for (const origin of definitions) this.#link(batch, origin, key);
        if (content) this.#link(batch, content, key);
      }
    });
  }

  /** Answers the ids of results that nothing names any more: the caller releases them. */
  async addResult(keys: readonly KeyId[], result: StoredResult): Promise<readonly string[]> {
    for (const key of keys) this.#unproven.delete(key);
    const changes = new Changes();
    const pushedOut = keys.flatMap((key) => (isVolatile(key) ? none : this.#insert(changes, key, result)));
    const dropped = pushedOut.length === 0 ? none : this.#unnamed(changes, pushedOut);
    await changes.apply(this.#kv);
    return dropped;
  }

  /** Takes a result out of every key; keys that lose their last use go as well. */
  async forget(resultId: string): Promise<void> {
    const changes = new Changes();
    forgetResult(this.#tables, changes, resultId);
    await changes.apply(this.#kv);
  }

  /** Takes out the keys that came to nothing. Only while nobody is about to add results: nothing is solved. */
  async forgetUnproven(): Promise<void> {
    const changes = new Changes();
    forgetUseless(this.#tables, changes, this.#unproven);
    this.#unproven.clear();
    await changes.apply(this.#kv);
  }

  /** Of keys that another process left, none is known to be proven. */
  doubtAll(): void {
    for (const key of this.useless()) this.#unproven.add(key);
  }

  /** Keys that something leads to, but that have no result and lead nowhere. */
  *useless(): Iterable<KeyId> {
    const changes = new Changes();
    let last = '';
    for (const [name] of this.#tables.origins.entries()) {
      const key = firstOf(name);
      if (key !== last && !isUsed(this.#tables, changes, key)) yield key;
      last = key;
    }
  }

  /** All results, to find those whose data is gone (start-up). */
  *resultIds(): Iterable<string> {
    let last = '';
    for (const [name] of this.#tables.holders.entries()) {
      const id = firstOf(name);
      if (id !== last) yield id;
      last = id;
    }
  }

  #link(batch: KvBatch, origin: OriginName, key: KeyId): void {
    if (isVolatile(origin)) return;
    const { links, origins } = this.#tables;
    const known = links.get(origin);
    if (known?.includes(key)) return;
    batch.put(links, origin, known ? [...known, key] : [key]);
    batch.put(origins, pair(key, origin), true);
  }

  /** Answers the results that were pushed out. */
  #insert(changes: Changes, key: KeyId, result: StoredResult): readonly StoredResult[] {
    const { results, holders } = this.#tables;
    changes.set(holders, pair(result.id, key), true);
    const known = changes.get(results, key);
    if (!known) {
      changes.set(results, key, [result]);
      return none;
    }
    const others = known.filter(({ id }) => id !== result.id);
    const kept = [...others, result].sort((a, b) => b.createdAt - a.createdAt);
    const pushedOut = kept.splice(resultsPerKey);
    for (const { id } of pushedOut) changes.set(holders, pair(id, key), undefined);
    changes.set(results, key, kept);
    return pushedOut;
  }

  /** Those that no key has any more. */
  #unnamed(changes: Changes, results: readonly StoredResult[]): readonly string[] {
    const ids = new Set(results.map(({ id }) => id));
    return [...ids].filter((id) => isEmpty(changes.partners(this.#tables.holders, id)));
  }

  #allTargets(origins: readonly OriginName[]): readonly KeyId[] {
    const [first, ...others] = origins;
    if (first === undefined) return none;
    return others.length === 0 ? this.targets(first) : origins.flatMap((origin) => this.targets(origin));
  }

  #meeting(inputs: readonly InputKeys[]): KeyId | undefined {
    let common: readonly KeyId[] | undefined;
    for (const { definitions, content } of inputs) {
      const reached = content ? this.targets(content) : this.#allTargets(definitions);
      common = common ? intersect(common, reached) : reached;
      if (common.length === 0) return undefined;
    }
    return common?.[0];
  }
}

const onlyVolatile = (input: InputKeys): boolean => originsOf(input).every(isVolatile);

const isEmpty = (items: Iterable<unknown>): boolean => {
  for (const _ of items) return false;
  return true;
};

function intersect(a: readonly KeyId[], b: readonly KeyId[]): readonly KeyId[] {
  const also = new Set(b);
  return a.filter((key) => also.has(key));
}
