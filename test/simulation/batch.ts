/** Many seeds in one go; what a worker process of `npm run sim` does. */
import { generate } from './generate.js';
import { type Outcome, type SimulationOptions, simulate } from './simulate.js';

export type Counts = Omit<Outcome, 'violation'> & { readonly seeds: number };
export interface Batch {
  readonly counts: Counts;
  readonly failures: readonly { readonly seed: number; readonly message: string }[];
}

export const noCounts: Counts = {
  seeds: 0,
  steps: 0,
  turns: 0,
  jobs: 0,
  cancelled: 0,
  follows: 0,
  effects: 0,
  lives: 0,
};

export const add = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(
    Object.entries(a).map(([key, value]) => [key, value + b[key as keyof Counts]]),
  ) as Counts;

export interface BatchOptions extends SimulationOptions {
  /** Ends with the first failure. */
  readonly onlyFirst?: boolean;
}

export async function runBatch(seeds: Iterable<number>, options: BatchOptions = {}): Promise<Batch> {
  let counts = noCounts;
  const failures: { seed: number; message: string }[] = [];
  for (const seed of seeds) {
    const { violation, ...rest } = await simulate(generate(seed), options);
    counts = add(counts, { ...rest, seeds: 1 });
    if (violation) failures.push({ seed, message: violation.message });
    if (violation && options.onlyFirst) break;
  }
  return { counts, failures };
}

export function* range(from: number, to: number, by = 1): Iterable<number> {
  for (let seed = from; seed < to; seed += by) yield seed;
}
