/** Runs scenarios often enough to tell a change from noise. */
import { readFileSync } from 'node:fs';
import { DisposeStack } from '../core/util/dispose.js';
import type { BenchScenario } from './scenarios.js';
import { type Counts, difference, World } from './world.js';

export interface Figures {
  /** Milliseconds: the middle, and the difference of the slowest and the quickest. The extremes are left out of both. */
  readonly median: number;
  readonly spread: number;
  readonly counts: Counts;
}

const samples = 7;

/** Graphs of this many vertices together are one sample, so that a small one bears its share of garbage collection. */
const verticesPerSample = 3000;

/** One sample: graphs one after the other, each in a world of its own. Milliseconds and counts are those of one. */
export async function sample(
  scenario: BenchScenario,
  size = scenario.size,
  graphs = 1,
): Promise<{ ms: number; counts: Counts }> {
  await using stack = new DisposeStack();
  const first = await stack.use(new World());
  const runs = [await scenario.prepare(first, size)];
  while (runs.length < graphs) runs.push(await scenario.prepare(await stack.use(new World()), size));
  const before = first.counts;
  globalThis.gc?.();
  const started = now();
  for (const run of runs) await run();
  return { ms: (now() - started) / graphs, counts: difference(first.counts, before) };
}

/** Milliseconds this thread has run for, so that a busy machine does not count; see proc(5), schedstat. */
const now = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;

export async function measure(scenario: BenchScenario, size = scenario.size): Promise<Figures> {
  const graphs = Math.max(1, Math.round(verticesPerSample / size));
  const times: number[] = [];
  let counts: Counts | undefined;
  for (let i = 0; i < samples; i++) {
    const run = await sample(scenario, size, graphs);
    times.push(run.ms);
    counts = run.counts;
  }
  const kept = times.toSorted((a, b) => a - b).slice(1, -1);
  return { median: kept[kept.length >> 1]!, spread: kept.at(-1)! - kept[0]!, counts: counts! };
}
