import type { Digest } from '../util/digest.js';
import { getOrAdd } from '../util/get-or-add.js';
import type { Entry } from './record.js';

/** What entries are found by besides their id. An entry is listed by what its record says at that moment. */
export class RefNames {
  readonly #byIndex = new Map<string, Set<Entry>>();
  readonly #byChain = new Map<Digest, Entry>();

  /** Newest first. */
  byIndex(index: string): readonly Entry[] {
    return [...(this.#byIndex.get(index) ?? [])].sort((a, b) => b.record.createdAt - a.record.createdAt);
  }

  indexes(): Iterable<string> {
    return this.#byIndex.keys();
  }

  byChain(chainId: Digest): Entry | undefined {
    return this.#byChain.get(chainId);
  }

  list(entry: Entry): void {
    const { indexes, chainId } = entry.record;
    for (const index of indexes) getOrAdd(this.#byIndex, index, () => new Set()).add(entry);
    if (chainId !== undefined && !this.#byChain.has(chainId)) this.#byChain.set(chainId, entry);
  }

  /** Before its record changes. */
  unlist(entry: Entry): void {
    const { indexes, chainId } = entry.record;
    for (const index of indexes) {
      const entries = this.#byIndex.get(index);
      entries?.delete(entry);
      if (entries?.size === 0) this.#byIndex.delete(index);
    }
    if (chainId !== undefined && this.#byChain.get(chainId) === entry) this.#byChain.delete(chainId);
  }
}
