/**
 * Cache mounts: writable trees that outlive steps, found again by id (and by the tree they lie on, if any).
 *
 * - `shared`: every step gets the same tree, at once.
 * - `private`: a step gets a tree nobody else has now, a new one if need be.
 * - `locked`: as private, but a step waits until the id's tree is free.
 *
 * Invariants: (1) taking and leaving the trees of a key is serialised, so two steps never both find none and both
 * make one; (2) who waits learnt of the next release before it looked, so no wake-up is lost; (3) `prune` reaches
 * trees that are still in use: they are left behind, and the next taker of the id makes a new one.
 */
import type { Progress } from '../../contracts/progress.js';
import type { ImmutableRef, MutableRef } from '../../contracts/refs.js';
import type { Worker } from '../../contracts/worker.js';
import { deferred, unlessAborted } from '../../util/deferred.js';

export type CacheSharing = 'shared' | 'private' | 'locked';

export interface CacheMountRequest {
  readonly id: string;
  readonly sharing: CacheSharing;
  /** What a new tree starts from; trees on different bases are different trees. */
  readonly base: ImmutableRef | undefined;
  readonly description: string;
}

/** A hold on a cache mount's tree; disposing it frees the tree for others. */
export interface CacheMount extends AsyncDisposable {
  readonly ref: MutableRef;
}

export class CacheMounts {
  readonly #slots = new Map<string, Slot>();
  /** Per id: how often it was pruned. */
  readonly #generations = new Map<string, number>();

  async acquire(
    worker: Worker,
    request: CacheMountRequest,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<CacheMount> {
    const index = `cachemount:${request.base ? `${request.id}:${request.base.id}` : request.id}`;
    const slot = this.#slot(`${worker.profile.id}/${index}`);
    for (;;) {
      signal.throwIfAborted();
      const released = slot.nextRelease();
      const hold = await slot.exclusively(() => this.#take(slot, worker, request, index, progress, signal));
      if (hold) return hold;
      await unlessAborted(released, signal);
    }
  }

  /** Forgets the trees of `id`, whatever they lie on. */
  prune(id: string): void {
    this.#generations.set(id, this.#generation(id) + 1);
  }

  #generation(id: string): number {
    return this.#generations.get(id) ?? 0;
  }

  #slot(key: string): Slot {
    const slot = this.#slots.get(key) ?? new Slot();
    this.#slots.set(key, slot);
    return slot;
  }

  /** Answers undefined when the tree is taken and the request must wait for it. */
  async #take(
    slot: Slot,
    worker: Worker,
    request: CacheMountRequest,
    index: string,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<CacheMount | undefined> {
    const generation = this.#generation(request.id);
    if (slot.generation !== generation) {
      await discardFree(worker, index);
      slot.generation = generation;
      slot.shared = undefined;
    } else if (request.sharing === 'shared' && slot.shared) {
      return slot.shared.join();
    }
    let ref = await worker.refs.findMutable(index);
    if (!ref && request.sharing === 'locked' && slot.holdersOf(generation) > 0) return undefined;
    ref ??= await worker.refs.create(
      request.base,
      { description: request.description, type: 'exec.cachemount', index },
      progress,
      signal,
    );
    const hold = await slot.hold(ref, generation);
    if (request.sharing === 'shared') slot.shared = hold;
    return hold.join();
  }
}

/** A mutable ref that is disposed without being retained again loses its record. */
async function discardFree(worker: Worker, index: string): Promise<void> {
  for (;;) {
    const ref = await worker.refs.findMutable(index);
    if (!ref) return;
    await ref[Symbol.asyncDispose]();
  }
}

/** The state of one key of one worker. */
class Slot {
  generation = 0;
  shared: Hold | undefined;
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
      this.#holders.set(generation, this.holdersOf(generation) - 1);
      this.#release.resolve();
      this.#release = deferred();
    });
    return hold;
  }
}

/** A tree in use by one step, or by several that share it; it ends with the last of them. */
class Hold {
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
