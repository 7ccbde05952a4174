/** The limit on heavy steps. Whoever lies on the longest known path gets the next free slot. */
import { type Deferred, deferred } from '../util/deferred.js';

interface Waiting {
  readonly distance: number;
  readonly turn: Deferred<void>;
}

export class Slots {
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  /** 0: no limit. */
  constructor(limit: number) {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whoever comes now has to wait. */
  get full(): boolean {
    return this.#taken >= this.#limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits for a slot; rejects when the signal aborts first. */
  async take(distance: number, signal: AbortSignal): Promise<Slot> {
    await this.enter(distance, signal);
    return new Slot(this, distance);
  }

  /** As `take`; `free` has to be called for it. */
  async enter(distance: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.#limit) this.#taken++;
    else await this.#wait(distance, signal);
  }

  free(): void {
    const next = this.#next();
    if (next) next.turn.resolve();
    else this.#taken--;
  }

  async #wait(distance: number, signal: AbortSignal): Promise<void> {
    const waiting: Waiting = { distance, turn: deferred() };
    const leave = (): void => {
      const at = this.#waiting.indexOf(waiting);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      waiting.turn.reject(signal.reason);
    };
    this.#waiting.push(waiting);
    signal.addEventListener('abort', leave, { once: true });
    try {
      await waiting.turn.promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** The first of those with the greatest distance. */
  #next(): Waiting | undefined {
    let best = 0;
    for (let i = 1; i < this.#waiting.length; i++) {
      if (this.#waiting[i]!.distance > this.#waiting[best]!.distance) best = i;
    }
    return this.#waiting.splice(best, 1)[0];
  }
}

/** The slots of each pool: heavy steps of one do not wait for those of another. */
export class SlotPools {
  readonly #shared: Slots;
  readonly #named: ReadonlyMap<string, Slots>;

  /** `limits`: of pools with slots of their own, by name. What is in none of them shares `limit`. 0: no limit. */
  constructor(limit: number, limits: ReadonlyMap<string, number> = new Map()) {
    this.#shared = new Slots(limit);
    this.#named = new Map([...limits].map(([pool, own]) => [pool, new Slots(own)]));
  }

  of(pool: string | undefined): Slots {
    return (pool === undefined ? undefined : this.#named.get(pool)) ?? this.#shared;
  }

  get taken(): number {
    return this.#sum(({ taken }) => taken);
  }

  get waiting(): number {
    return this.#sum(({ waiting }) => waiting);
  }

  #sum(count: (slots: Slots) => number): number {
    return [this.#shared, ...this.#named.values()].reduce((sum, slots) => sum + count(slots), 0);
  }
}

/** A place among the heavy steps: held, unless its step waits for sub-builds or is over. */
export class Slot implements Disposable {
  readonly #slots: Slots;
  readonly #distance: number;
  #held = true;
  #over = false;
  /** Sub-builds that the step waits for. */
  #waits = 0;
  #returning: Promise<void> | undefined;

  constructor(slots: Slots, distance: number) {
    this.#slots = slots;
    this.#distance = distance;
  }

  /** Leaves the slot to others while `work` waits for them (a sub-build); several at once may. */
  async without<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#waits++;
    this.#release();
    try {
      return await work();
    } finally {
      // Not before the last one: a slot that is held while another sub-build needs it could block both for good.
      if (--this.#waits === 0 && !this.#over) await this.#comeBack(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#release();
  }

  #comeBack(signal: AbortSignal): Promise<void> {
    this.#returning ??= this.#return(signal);
    return this.#returning;
  }

  async #return(signal: AbortSignal): Promise<void> {
    try {
      await this.#slots.enter(this.#distance, signal);
      if (this.#waits > 0 || this.#over) this.#slots.free();
      else this.#held = true;
    } finally {
      this.#returning = undefined;
    }
  }

  #release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#slots.free();
  }
}
