/**
 * `npm run fuzz -- dockerfile --runs 50000`: that many mutated inputs, on all cores, and what went wrong with them.
 *
 * --first N   the first seed (1)
 * --seed N    one seed: shows the input and what it came to
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FuzzResult, fuzzOne } from './dockerfile/fuzz.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '50000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});
const [area = 'dockerfile', ...others] = positionals;
if (area !== 'dockerfile' || others.length > 0)
  throw new Error('usage: npm run fuzz -- dockerfile [--runs N]');

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

if (values.seed !== undefined) {
  const { dockerfile, outcome, problem } = await fuzzOne(Number(values.seed));
  say(`${dockerfile}\n----\n${outcome}; ${problem ?? 'nothing wrong with that'}`);
  process.exitCode = problem === undefined ? 0 : 1;
} else {
  process.exitCode = (await fuzzMany(Number(values.first), Number(values.runs))) ? 0 : 1;
}

async function fuzzMany(first: number, runs: number): Promise<boolean> {
  const started = performance.now();
  const workers = availableParallelism();
  const shares = await Promise.all(
    Array.from({ length: workers }, (_, index) => share(first + index, first + runs, workers)),
  );
  const findings = shares.flatMap((result) => result.findings).sort((a, b) => a.seed - b.seed);
  const sum = (count: (result: FuzzResult) => number): number =>
    shares.reduce((total, result) => total + count(result), 0);
  const slowest = Math.max(...shares.map(({ slowestMs }) => slowestMs)).toFixed(0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `${sum(({ built }) => built)} built, ${sum(({ refused }) => refused)} refused, ${findings.length} wrong; ` +
      `${seconds} s, the slowest took ${slowest} ms`,
  );
  for (const { seed, problem } of findings.slice(0, 10)) say(`seed ${seed}: ${problem}`);
  return findings.length === 0;
}

async function share(first: number, end: number, by: number): Promise<FuzzResult> {
  const program = join(import.meta.dirname, 'dockerfile/worker.ts');
  const worker = fork(program, [first, end, by].map(String), { execArgv: ['--import', 'tsx'] });
  const exit = once(worker, 'exit');
  const answer = await Promise.race([once(worker, 'message'), exit.then(() => undefined)]);
  if (!answer) throw new Error(`a worker ended without an answer, with seeds from ${first}, every ${by}`);
  return answer[0] as FuzzResult;
}
