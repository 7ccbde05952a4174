/**
 * Cache mounts: writable trees that outlive steps, found again by id (and by the tree they lie on, if any).
 *
 * - `shared`: every step gets the same tree, at once.
 * - `private`: a step gets a tree nobody else has now, a new one if need be.
 * - `locked`: as private, but a step waits until the id's tree is free.
 *
 * Invariants: (1) taking and leaving the trees of a key is serialised, so two steps never both find none and both
 * make one; (2) who waits learnt of the next release before it looked, so no wake-up is lost; (3) `prune` reaches
 * trees that are still in use: they are left behind, and the next taker of the id makes a new one; (4) a tree that is
 * packed has no writer: who wants it waits. A tree that is here is never replaced by an imported one.
 */
import type { CacheMountLayers, KnownCacheMount } from '../../contracts/cache.js';
import type { Progress } from '../../contracts/progress.js';
import type { ImmutableRef, LayerOptions, MutableRef, RefLayers, RefStore } from '../../contracts/refs.js';
import type { SessionGroup } from '../../contracts/session.js';
import type { Worker } from '../../contracts/worker.js';
import { unlessAborted } from '../../util/deferred.js';
import { CacheMountOffers, createFrom } from './cache-mount-offers.js';
import { type CacheMount, Slot } from './cache-mount-slot.js';

export type CacheSharing = 'shared' | 'private' | 'locked';

export interface CacheMountRequest {
  readonly id: string;
  readonly sharing: CacheSharing;
  /** What a new tree starts from; trees on different bases are different trees. */
  readonly base: ImmutableRef | undefined;
  readonly description: string;
  /** Of the builds that want it: what they imported for the id is what the first tree begins with. */
  readonly sessions?: SessionGroup;
}

export class CacheMounts {
  readonly #offers = new CacheMountOffers();
  readonly #slots = new Map<string, Slot>();
  /** Per id: how often it was pruned. */
  readonly #generations = new Map<string, number>();

  async acquire(
    worker: Worker,
    request: CacheMountRequest,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<CacheMount> {
    const index = indexOf(request.id, request.base?.id);
    const slot = this.#slot(worker, index);
    return waiting(slot, () => this.#take(slot, worker, request, index, progress, signal), signal);
  }

  /** Those with content here, of the one used last first. */
  known(worker: Worker): readonly KnownCacheMount[] {
    const all = worker.refs.mutableIndexes(indexPrefix).map(mountOf);
    return all.filter(
      ({ id, base }) => this.#slot(worker, indexOf(id, base)).generation === this.#generation(id),
    );
  }

  /** What a tree of the mount has beyond its base, as one layer, when no step writes there. undefined: it is gone. */
  async pack(
    worker: Worker,
    { id, base }: KnownCacheMount,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers | undefined> {
    const index = indexOf(id, base);
    const slot = this.#slot(worker, index);
    const borrowed = await waiting(slot, () => borrow(slot, worker, index), signal);
    if (borrowed === 'gone') return undefined;
    await using mount = borrowed;
    await using on = base === undefined ? undefined : await worker.refs.get(base);
    return await mount.ref.pack(on, options, progress, signal);
  }

  /** What first trees of steps of that session's builds begin with, until it is disposed. */
  offer(session: string, mounts: readonly CacheMountLayers[]): Disposable {
    return this.#offers.add(session, mounts);
  }

  /** Forgets the trees of `id`, whatever they lie on. */
  prune(id: string): void {
    this.#generations.set(id, this.#generation(id) + 1);
  }

  #generation(id: string): number {
    return this.#generations.get(id) ?? 0;
  }

  #slot(worker: Worker, index: string): Slot {
    const key = `${worker.profile.id}/${index}`;
    const slot = this.#slots.get(key) ?? new Slot();
    this.#slots.set(key, slot);
    return slot;
  }

  /** Answers undefined when the tree is taken and the request must wait for it; called in turn. */
  async #take(
    slot: Slot,
    worker: Worker,
    request: CacheMountRequest,
    index: string,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<CacheMount | undefined> {
    const generation = this.#generation(request.id);
    const pruned = slot.generation !== generation;
    if (pruned) {
      await discardFree(worker, index);
      slot.generation = generation;
      slot.shared = undefined;
      slot.reader = undefined;
    } else if (slot.reader) {
      return undefined;
    } else if (request.sharing === 'shared' && slot.shared) {
      return slot.shared.join();
    }
    let ref = await worker.refs.findMutable(index);
    if (!ref && request.sharing === 'locked' && slot.holdersOf(generation) > 0) return undefined;
    const isFirst = !pruned && slot.holdersOf(generation) === 0;
    ref ??= await this.#create(worker.refs, request, index, isFirst, progress, signal);
    const hold = await slot.hold(ref, generation);
    if (request.sharing === 'shared') slot.shared = hold;
    return hold.join();
  }

  async #create(
    refs: RefStore,
    { id, base, description, sessions }: CacheMountRequest,
    index: string,
    isFirst: boolean,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<MutableRef> {
    const options = { description, type: 'exec.cachemount', index } as const;
    const offer = isFirst ? this.#offers.find({ id, based: base !== undefined }, sessions) : undefined;
    const begun = offer && (await createFrom(offer, base, refs, options, progress, signal));
    return begun ?? refs.create(base, options, progress, signal);
  }
}

const indexPrefix = 'cachemount:';

const indexOf = (id: string, base: string | undefined): string =>
  `${indexPrefix}${base === undefined ? id : `${id}:${base}`}`;

/** Ids of refs are 25 characters. */
function mountOf(index: string): KnownCacheMount {
  const [, id, base] = /^(.*?)(?::([0-9a-z]{25}))?$/s.exec(index.slice(indexPrefix.length))!;
  return { id: id!, base };
}

/** Until `take`, called in turn, has an answer; it is asked again whenever a tree was freed. */
async function waiting<T>(slot: Slot, take: () => Promise<T | undefined>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const released = slot.nextRelease();
    const taken = await slot.exclusively(take);
    if (taken !== undefined) return taken;
    await unlessAborted(released, signal);
  }
}

/** A free tree, for one who reads it alone; undefined when there is none now. Called in turn. */
async function borrow(slot: Slot, worker: Worker, index: string): Promise<CacheMount | 'gone' | undefined> {
  if (slot.reader) return undefined;
  const ref = await worker.refs.findMutable(index);
  if (!ref) return slot.holdersOf(slot.generation) > 0 ? undefined : 'gone';
  slot.reader = await slot.hold(ref, slot.generation);
  return slot.reader.join();
}

/** A mutable ref that is disposed without being retained again loses its record. */
async function discardFree(worker: Worker, index: string): Promise<void> {
  for (;;) {
    const ref = await worker.refs.findMutable(index);
    if (!ref) return;
    await ref[Symbol.asyncDispose]();
  }
}
