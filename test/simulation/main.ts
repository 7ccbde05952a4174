/**
 * `npm run sim -- --seeds 2000`: plays that many scenarios on all cores and says what it saw.
 *
 * --first N   the first seed (1)
 * --seed N    one scenario, step by step; with --until K it stops after K steps and shows all tasks
 * --plant     wrong rules instead: each must be noticed within the seeds
 * --replay F  plays a file of replays/
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { add, type Batch, noCounts, range, runBatch } from './batch.js';
import { generate } from './generate.js';
import { plants } from './plants.js';
import { readReplay, writeReplay } from './replays.js';
import type { Scenario } from './scenario.js';
import { shrink } from './shrink.js';
import { type SimulationOptions, simulate } from './simulate.js';

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function playMany(first: number, seeds: number): Promise<boolean> {
  const started = performance.now();
  const workers = Math.min(availableParallelism(), Math.ceil(seeds / 250));
  const bundle = await bundleWorker();
  const shares = Array.from({ length: workers }, (_, i) =>
    playShare(bundle, first + i, first + seeds, workers),
  );
  const batches = await Promise.all(shares);
  const counts = batches.reduce((sum, batch) => add(sum, batch.counts), noCounts);
  const failures = batches.flatMap((batch) => batch.failures).sort((a, b) => a.seed - b.seed);
  const seconds = (performance.now() - started) / 1000;
  say(table({ ...counts, failures: failures.length, seconds: Number(seconds.toFixed(1)) }));
  for (const { seed, message } of failures.slice(0, 10)) say(`seed ${seed}: ${message}`);
  const [worst] = failures;
  if (worst) await keep(`seed-${worst.seed}`, `found by seed ${worst.seed}`, generate(worst.seed), {});
  return failures.length === 0;
}

/** Compiled once, for all workers: they then run what is shipped, without a loader. */
async function bundleWorker(): Promise<string> {
  const outfile = join(import.meta.dirname, '../../.cache/simulation/worker.mjs');
  const entry = join(import.meta.dirname, 'worker.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
  });
  return outfile;
}

async function playShare(bundle: string, from: number, to: number, by: number): Promise<Batch> {
  const worker = fork(bundle, [from, to, by].map(String), { execArgv: [] });
  const ended = once(worker, 'exit');
  const message = await Promise.race([once(worker, 'message'), ended]);
  if (typeof message[0] !== 'object' || message[0] === null)
    throw new Error(`a worker ended early: ${message}`);
  await ended;
  return message[0];
}

async function playOne(
  scenario: Scenario,
  options: SimulationOptions,
  until: number | undefined,
): Promise<boolean> {
  let dump = '';
  const { violation } = await simulate(scenario, {
    ...options,
    ...(until === undefined ? {} : { until }),
    onStep: (step, what, { solver }) => {
      say(`${step} ${what}`);
      if (step === until) dump = solver.dump();
    },
  });
  if (dump) say(dump);
  say(violation?.message ?? 'nothing is wrong');
  return !violation;
}

async function playPlants(first: number, seeds: number): Promise<boolean> {
  let all = true;
  for (const { name, plan } of plants) {
    const { counts, failures } = await runBatch(range(first, first + seeds), { plan, onlyFirst: true });
    const [caught] = failures;
    say(`${name}: ${caught ? `noticed by seed ${caught.seed}, ${caught.message}` : 'not noticed'}`);
    all &&= caught !== undefined && counts.seeds > 0;
  }
  return all;
}

/** Shrinks it and writes it down. */
async function keep(
  name: string,
  about: string,
  scenario: Scenario,
  options: SimulationOptions,
): Promise<void> {
  const small = await shrink(scenario, options);
  const timeline: string[] = [];
  const { violation } = await simulate(small, { ...options, onStep: (_, what) => timeline.push(what) });
  const file = writeReplay(name, { about, violation: violation?.message ?? '', scenario: small, timeline });
  say(`written: ${file}; see it again with --replay ${name}`);
}

const table = (figures: Readonly<Record<string, number>>): string => {
  const cells = Object.entries(figures).map(([name, figure]) => [name, figure.toLocaleString('en')] as const);
  const widths = cells.map(([name, figure]) => Math.max(name.length, figure.length));
  const line = (column: 0 | 1): string =>
    cells.map((cell, i) => cell[column].padStart(widths[i]!)).join('  ');
  return `${line(0)}\n${line(1)}`;
};

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    until: { type: 'string' },
    plant: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});
const [seeds, first, seed, until] = [values.seeds, values.first, values.seed, values.until].map(number);

let fine: boolean;
if (values.replay) fine = await playOne(readReplay(values.replay).scenario, {}, until);
else if (seed !== undefined) fine = await playOne(generate(seed), {}, until);
else if (values.plant) fine = await playPlants(first!, seeds!);
else fine = await playMany(first!, seeds!);
process.exitCode = fine ? 0 : 1;
