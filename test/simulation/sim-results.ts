/** Counted results, and a store for them that outlives the solver and can lose them. */
import { BuildError, notFound } from '../../core/contracts/errors.js';
import type { Result, ResultStore } from '../../core/solver/op.js';
import type { Stop } from '../../core/solver/seams.js';
import type { Random } from './random.js';
import type { Trouble } from './scenario.js';
import type { SimEffects } from './sim-effects.js';

/** All results of one solver that were not released. */
export class LiveResults {
  readonly live = new Set<SimResult>();
  readonly misuse: string[] = [];
}

export class SimResult implements Result {
  readonly #value: string;
  readonly #all: LiveResults;

  constructor(all: LiveResults, value: string) {
    this.#all = all;
    this.#value = value;
    all.live.add(this);
  }

  get value(): string {
    this.#mustLive('read');
    return this.#value;
  }

  clone(): SimResult {
    this.#mustLive('cloned');
    return new SimResult(this.#all, this.#value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mustLive('released');
    this.#all.live.delete(this);
  }

  #mustLive(what: string): void {
    if (!this.#all.live.has(this)) this.#all.misuse.push(`${this.#value} was ${what} after its release`);
  }
}

export const textOf = (result: Result | undefined): string => (result as SimResult).value;

/** What is on disk. */
export class StoredResults {
  readonly values = new Map<string, string>();
  #saved = 0;

  save(value: string): string {
    const id = `result-${++this.#saved}`;
    this.values.set(id, value);
    return id;
  }
}

export class SimResults implements ResultStore {
  loads = 0;
  readonly #stored: StoredResults;
  readonly #all: LiveResults;
  readonly #effects: SimEffects;
  readonly #random: Random;
  readonly #trouble: Trouble;

  constructor(
    stored: StoredResults,
    all: LiveResults,
    effects: SimEffects,
    random: Random,
    trouble: Trouble,
  ) {
    this.#stored = stored;
    this.#all = all;
    this.#effects = effects;
    this.#random = random;
    this.#trouble = trouble;
  }

  async save(result: Result | undefined, { signal }: Stop): Promise<string> {
    await this.#effects.pause('saving', signal);
    if (this.#random.chance(this.#trouble.saves)) throw new BuildError('sim.disk-full', 'disk full');
    return this.#stored.save(textOf(result));
  }

  async load(id: string, signal: AbortSignal): Promise<Result | undefined> {
    this.loads++;
    await this.#effects.pause(`loading ${id}`, signal);
    const value = this.#stored.values.get(id);
    if (value === undefined) throw notFound('sim.no-result', `${id} is gone`);
    if (this.#random.chance(this.#trouble.loads))
      throw new BuildError('sim.unreadable', `${id} is unreadable`);
    return new SimResult(this.#all, value);
  }

  has(id: string): boolean {
    return this.#stored.values.has(id);
  }

  async release(id: string): Promise<void> {
    this.#stored.values.delete(id);
  }
}
