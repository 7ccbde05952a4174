/**
 * What the facts are drawn from besides the graph: the key store, minus results that are gone, and the caches that the
 * jobs of a task brought along.
 */
import { notFound } from '../contracts/errors.js';
import type { Records } from './facts.js';
import { type Adopted, type ForeignCache, isForeign } from './foreign.js';
import type { KeyId } from './keys/key-id.js';
import type { KeyStore } from './keys/key-store.js';
import type { StoredResult } from './keys/key-tables.js';
import type { InputKeys, OriginName } from './keys/link.js';
import type { ResultStore } from './op.js';
import type { Task } from './task.js';

const none: readonly ForeignCache[] = [];

export class StoredRecords implements Records {
  readonly keys: KeyStore;
  readonly #results: ResultStore;
  readonly #background: (what: string, work: Promise<unknown>) => void;

  constructor(
    keys: KeyStore,
    results: ResultStore,
    background: (what: string, work: Promise<unknown>) => void,
  ) {
    this.keys = keys;
    this.#results = results;
    this.#background = background;
  }

  targets(task: Task, origin: OriginName): readonly KeyId[] {
    const own = this.keys.targets(origin);
    const foreign = foreignCaches(task);
    return foreign.length === 0 ? own : [...own, ...foreign.flatMap((cache) => cache.targets(origin))];
  }

  results(task: Task, key: KeyId): readonly StoredResult[] {
    const own = this.keys.results(key);
    const foreign = foreignCaches(task);
    return foreign.length === 0 ? own : [...own, ...foreign.flatMap((cache) => cache.results(key))];
  }

  isThere(resultId: string): boolean {
    if (isForeign(resultId) || this.#results.has(resultId)) return true;
    this.drop(resultId);
    return false;
  }

  drop(resultId: string): void {
    if (isForeign(resultId)) return;
    const release = async (): Promise<void> => {
      await this.keys.forget(resultId);
      await this.#results.release(resultId);
    };
    this.#background('release a result', release());
  }

  link(inputs: Iterable<InputKeys>, key: KeyId): void {
    this.#background('link keys', this.keys.link(inputs, key));
  }

  /** A result by its id, brought here if it is a foreign one. The caller owns it. */
  async load(task: Task, resultId: string, signal: AbortSignal): Promise<LoadedResult> {
    if (!isForeign(resultId)) {
      return {
        value: await this.#results.load(resultId, signal),
        recordId: resultId,
        keys: [],
        from: undefined,
      };
    }
    for (const cache of foreignCaches(task)) {
      const adopting = cache.adopt(resultId, signal);
      if (!adopting) continue;
      const { kept, ...adopted } = await adopting;
      this.#background('keep an imported record', kept);
      return { ...adopted, from: cache.name };
    }
    throw notFound('solver.foreign-gone', `the cache that ${resultId} was imported from is gone`);
  }
}

export interface LoadedResult extends Omit<Adopted, 'kept'> {
  /** The imported cache that had it. */
  readonly from: string | undefined;
}

export function foreignCaches({ jobs }: Task): readonly ForeignCache[] {
  let found: ForeignCache[] | undefined;
  for (const { caches } of jobs) {
    if (caches.length > 0) found = found ? [...found, ...caches] : [...caches];
  }
  return found ?? none;
}
