/** Results that count themselves: a test ends with none left but those it still holds. */
import type { Result, ResultStore } from '../../../../core/solver/op.js';

export class Tracker {
  readonly live = new Set<FakeResult>();

  make(value: string): FakeResult {
    return new FakeResult(this, value);
  }
}

export class FakeResult implements Result {
  readonly value: string;
  readonly #tracker: Tracker;

  constructor(tracker: Tracker, value: string) {
    this.#tracker = tracker;
    this.value = value;
    tracker.live.add(this);
  }

  clone(): FakeResult {
    if (!this.#tracker.live.has(this)) throw new Error(`${this.value} is cloned after its release`);
    return new FakeResult(this.#tracker, this.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#tracker.live.delete(this)) throw new Error(`${this.value} is released twice`);
  }
}

export const textOf = (result: Result | undefined): string =>
  result === undefined ? 'scratch' : (result as FakeResult).value;

/** Remembers values by id. Loads can be made to fail. */
export class FakeResults implements ResultStore {
  readonly values = new Map<string, string | undefined>();
  readonly released: string[] = [];
  readonly failing = new Set<string>();
  loads = 0;
  saves = 0;
  readonly #tracker: Tracker;

  constructor(tracker: Tracker) {
    this.#tracker = tracker;
  }

  async save(result: Result | undefined): Promise<string> {
    const id = `result-${++this.saves}`;
    this.values.set(id, result && textOf(result));
    return id;
  }

  async load(id: string): Promise<Result | undefined> {
    this.loads++;
    if (!this.values.has(id) || this.failing.has(id)) throw new Error(`${id} cannot be loaded`);
    const value = this.values.get(id);
    return value === undefined ? undefined : this.#tracker.make(value);
  }

  has(id: string): boolean {
    return this.values.has(id);
  }

  async release(id: string): Promise<void> {
    this.released.push(id);
  }
}
