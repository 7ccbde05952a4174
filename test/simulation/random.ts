/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** At least 0, less than `end`. */
  int(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }

  /** The index of one of `weights`, the heavier the likelier; undefined when all are 0. */
  weighted(weights: readonly number[]): number | undefined {
    let sum = 0;
    for (const weight of weights) sum += weight;
    let at = this.next() * sum;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      at -= weight;
      if (weight > 0 && at < 0) return i;
    }
    return undefined;
  }
}
