/**
 * `npm run faults -- --runs 200`: that many builds over a registry in trouble, and what was wrong with them.
 *
 * --first N   the first seed (FAULT_SEED, or 1)
 * --verbose   shows each run's faults and errors
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runFaults } from './fault-run.js';
import { FaultWorld } from './fault-world.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    first: { type: 'string', default: process.env.FAULT_SEED ?? '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const first = Number(values.first);
const runs = Number(values.runs);
const begun = performance.now();
const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));

await using world = await FaultWorld.open(await mkdtemp(join(tmpdir(), 'buildkit-faults-')));
let [failed, struck, wrong] = [0, 0, 0];
for (let seed = first; seed < first + runs; seed++) {
  const from = performance.now();
  const run = await runFaults(world, seed);
  failed += run.failures.length;
  struck += run.struck;
  const problems = [
    ...run.problems,
    ...unhandled.splice(0).map((reason) => `unhandled rejection: ${reason}`),
  ];
  if (problems.length > 0) wrong++;
  if (problems.length === 0 && !values.verbose) continue;
  say(`seed ${seed} (${Math.round(performance.now() - from)} ms)`);
  for (const plan of run.plans) say(`  faults: ${plan}`);
  for (const failure of run.failures) say(`  failed: ${failure}`);
  for (const problem of problems) say(`  WRONG: ${problem}`);
}
const seconds = ((performance.now() - begun) / 1000).toFixed(1);
say(
  `${runs} runs in ${seconds} s: ${struck} faults struck, ${failed} of ${2 * runs} builds failed clearly, ${wrong} runs went wrong`,
);
process.exitCode = wrong === 0 ? 0 : 1;
