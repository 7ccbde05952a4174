/** Runs scenarios often enough to tell a change from noise. */
import { readFileSync } from 'node:fs';
import type { BenchScenario } from './scenarios.js';
import { type Counts, difference, World } from './world.js';

export interface Figures {
  /** Milliseconds: the middle, and the difference of the slowest and the quickest. The extremes are left out of both. */
  readonly median: number;
  readonly spread: number;
  /** How many times as long a graph with ten times the steps and inputs takes. */
  readonly growth: number;
  readonly counts: Counts;
}

/** More is worse than linear, whatever the noise. */
export const GROWTH_LIMIT = 12;

/** Samples that are looked at, after some that are not. */
const SAMPLES = 7;
const LARGE_SAMPLES = 3;
const WARM_UPS = 2;

interface Sample {
  readonly ms: number;
  readonly counts: Counts;
  /** Steps and inputs. */
  readonly size: number;
}

/** One build of one graph in a world of its own. */
export async function sample(scenario: BenchScenario, size = scenario.size): Promise<Sample> {
  await using world = new World();
  const run = await scenario.prepare(world, size);
  const before = world.counts;
  globalThis.gc?.();
  const started = now();
  await run();
  return { ms: now() - started, counts: difference(world.counts, before), size: world.size };
}

/** Milliseconds this thread has run for, so that a busy machine does not count; see proc(5), schedstat. */
const now = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;

/** The larger graphs come last, so that they find the code that the others were measured with. */
export async function measure(scenario: BenchScenario): Promise<Figures> {
  for (let i = 0; i < WARM_UPS; i++) await sample(scenario);
  const normal = await samples(scenario, scenario.size, SAMPLES);
  const large = await samples(scenario, 10 * scenario.size, LARGE_SAMPLES);
  const kept = times(normal).slice(1, -1);
  const median = middle(kept);
  // Steps and inputs count alike: the first row of a graph has no inputs, however large it is.
  const tenfold = large[0]!.size / normal[0]!.size;
  return {
    median,
    spread: kept.at(-1)! - kept[0]!,
    growth: (10 / tenfold) * (middle(times(large)) / median),
    counts: normal[0]!.counts,
  };
}

async function samples(scenario: BenchScenario, size: number, count: number): Promise<readonly Sample[]> {
  const taken: Sample[] = [];
  while (taken.length < count) taken.push(await sample(scenario, size));
  return taken;
}

const times = (of: readonly Sample[]): readonly number[] => of.map(({ ms }) => ms).sort((a, b) => a - b);

const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1]!;
