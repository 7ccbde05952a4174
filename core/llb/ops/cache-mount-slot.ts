/**
 * Who holds the trees of one cache mount in one worker. Its holds come and go in turn: {@link Slot.exclusively}.
 */
import type { MutableRef } from '../../contracts/refs.js';
import { deferred } from '../../util/deferred.js';

/** A hold on a cache mount's tree; disposing it frees the tree for others. */
export interface CacheMount extends AsyncDisposable {
  readonly ref: MutableRef;
}

export class Slot {
  generation = 0;
  /** The tree that steps share now. */
  shared: Hold | undefined;
  /** Somebody reads a tree that nobody may write to meanwhile. */
  reader: Hold | undefined;
  readonly #holders = new Map<number, number>();
  #tail: Promise<unknown> = Promise.resolve();
  #release = deferred<void>();

  /** Runs `work` after all earlier work of this slot. */
  exclusively<T>(work: () => PromiseLike<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  nextRelease(): Promise<void> {
    return this.#release.promise;
  }

  holdersOf(generation: number): number {
    return this.#holders.get(generation) ?? 0;
  }

  /** Takes the tree over; called in turn. */
  async hold(ref: MutableRef, generation: number): Promise<Hold> {
    try {
      // At once, not on release: what a step put there survives a crash of the daemon.
      await ref.retain();
    } catch (error) {
      await ref[Symbol.asyncDispose]();
      throw error;
    }
    this.#holders.set(generation, this.holdersOf(generation) + 1);
    const hold: Hold = new Hold(ref, this, () => {
      if (this.shared === hold) this.shared = undefined;
      if (this.reader === hold) this.reader = undefined;
      this.#holders.set(generation, this.holdersOf(generation) - 1);
      this.#release.resolve();
      this.#release = deferred();
    });
    return hold;
  }
}

/** A tree in use by one step, or by several that share it; it ends with the last of them. */
export class Hold {
  readonly #ref: MutableRef;
  readonly #slot: Slot;
  readonly #freed: () => void;
  #users = 0;

  constructor(ref: MutableRef, slot: Slot, freed: () => void) {
    this.#ref = ref;
    this.#slot = slot;
    this.#freed = freed;
  }

  /** Called in turn. */
  join(): CacheMount {
    this.#users++;
    let joined = true;
    return {
      ref: this.#ref,
      [Symbol.asyncDispose]: async () => {
        if (!joined) return;
        joined = false;
        // In turn: a step that comes now must find the tree free or shared, not find none and make another.
        await this.#slot.exclusively(() => this.#leave());
      },
    };
  }

  async #leave(): Promise<void> {
    if (--this.#users > 0) return;
    try {
      await this.#ref[Symbol.asyncDispose]();
    } finally {
      this.#freed();
    }
  }
}
