/** Why the steps of the last builds ran or were hits, for `buildctl debug explain`. In memory, bounded. */
import { LRUCache } from 'lru-cache';
import type { Explanation } from '../solver/explain.js';

const BUILDS = 20;

export class Journal {
  readonly #builds = new LRUCache<string, readonly Explanation[]>({ max: BUILDS });
  #newest: string | undefined;

  record(ref: string, steps: readonly Explanation[]): void {
    this.#builds.set(ref, steps);
    this.#newest = ref;
  }

  /** The steps of a build, of the newest without a ref; undefined when it is not known (any more). */
  find(ref: string): readonly Explanation[] | undefined {
    const wanted = ref || this.#newest;
    return wanted === undefined ? undefined : this.#builds.get(wanted);
  }
}
