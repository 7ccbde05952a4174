/** Runs scenarios often enough to tell a change from noise. */
import { readFileSync } from 'node:fs';
import type { BenchScenario } from './scenarios.js';
import { type Counts, difference, World } from './world.js';

export interface Figures {
  /** Milliseconds: the middle, and the difference of the slowest and the quickest. The extremes are left out of both. */
  readonly median: number;
  readonly spread: number;
  readonly counts: Counts;
}

export const runsEach = 7;

/** One run, in a world of its own. */
export async function once(
  scenario: BenchScenario,
  size = scenario.size,
): Promise<{ ms: number; counts: Counts }> {
  await using world = new World();
  const run = await scenario.prepare(world, size);
  const before = world.counts;
  globalThis.gc?.();
  const started = now();
  await run();
  return { ms: now() - started, counts: difference(world.counts, before) };
}

/** Milliseconds this thread has run for, so that a busy machine does not count; see proc(5), schedstat. */
const now = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;

export async function measure(scenario: BenchScenario, size = scenario.size): Promise<Figures> {
  const times: number[] = [];
  let counts: Counts | undefined;
  for (let i = 0; i < runsEach; i++) {
    const run = await once(scenario, size);
    times.push(run.ms);
    counts = run.counts;
  }
  const kept = times.toSorted((a, b) => a - b).slice(1, -1);
  return { median: kept[kept.length >> 1]!, spread: kept.at(-1)! - kept[0]!, counts: counts! };
}
