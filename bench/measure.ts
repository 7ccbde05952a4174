/** Runs scenarios often enough to tell a change from noise. */
import { readFileSync } from 'node:fs';
import { DisposeStack } from '../core/util/dispose.js';
import type { BenchScenario } from './scenarios.js';
import { type Counts, difference, World } from './world.js';

export interface Figures {
  /** Milliseconds: the middle, and the difference of the slowest and the quickest. The extremes are left out of both. */
  readonly median: number;
  readonly spread: number;
  /** How many times as long a graph takes as one with a tenth of its steps and inputs. */
  readonly growth: number;
  readonly counts: Counts;
}

/** More is worse than linear, whatever the noise. */
export const GROWTH_LIMIT = 12;

/** Samples of every size that are looked at, after some that are not. */
const SAMPLES = 7;
const WARM_UPS = 2;

interface Sample {
  readonly ms: number;
  readonly counts: Counts;
  /** Steps and inputs. */
  readonly size: number;
}

/** One sample: graphs one after the other, each in a world of its own. Milliseconds and counts are those of one. */
export async function sample(scenario: BenchScenario, size = scenario.size, graphs = 1): Promise<Sample> {
  await using stack = new DisposeStack();
  const first = await stack.use(new World());
  const runs = [await scenario.prepare(first, size)];
  while (runs.length < graphs) runs.push(await scenario.prepare(await stack.use(new World()), size));
  const before = first.counts;
  globalThis.gc?.();
  const started = now();
  for (const run of runs) await run();
  const ms = (now() - started) / graphs;
  return { ms, counts: difference(first.counts, before), size: first.size };
}

/** Milliseconds this thread has run for, so that a busy machine does not count; see proc(5), schedstat. */
const now = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;

/**
 * Both sizes take turns, so that they find the same compiled code and the same neighbours; and ten small graphs are one
 * sample, so that they bear as much garbage collection as the large one. A tenth of the steps have less than a tenth of
 * the inputs, since the first row has none.
 */
export async function measure(scenario: BenchScenario): Promise<Figures> {
  const { size } = scenario;
  const large: number[] = [];
  const small: number[] = [];
  let last: Sample | undefined;
  let tenfold = 10;
  for (let i = 0; i < WARM_UPS + SAMPLES; i++) {
    const tenth = await sample(scenario, size / 10, 10);
    const whole = await sample(scenario, size);
    last = whole;
    tenfold = whole.size / tenth.size;
    if (i < WARM_UPS) continue;
    small.push(tenth.ms);
    large.push(whole.ms);
  }
  const kept = withoutExtremes(large);
  const median = middle(kept);
  const growth = (10 / tenfold) * (median / middle(withoutExtremes(small)));
  return { median, spread: kept.at(-1)! - kept[0]!, growth, counts: last!.counts };
}

const withoutExtremes = (times: readonly number[]): readonly number[] =>
  times.toSorted((a, b) => a - b).slice(1, -1);

const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1]!;
