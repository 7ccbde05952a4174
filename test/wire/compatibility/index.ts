/**
 * Runs small builds through BuildKit and through the daemon here, with BuildKit's own client, and compares all that can be
 * seen of them. Empties the caches of both daemons.
 *
 *   npx tsx test/wire/compatibility --client PATH_TO_BUILDCTL [OPTION…] real=ADDRESS ours=ADDRESS
 *
 * --list            names the cases
 * --filter TEXT     runs those whose `area: name` holds the text
 * --results FILE    keeps what cases came to; cases that are not run count as they did the last time
 * --judge           runs nothing: only what the file says, with the reasons of now
 * --page FILE       writes the page
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { succeed } from '../../integration/support/processes.js';
import type { NamedCase } from './case.js';
import { allCases } from './cases/index.js';
import { isExplained, isSame, judge, type Observation, observe } from './judge.js';
import { page, verdictLines } from './report.js';
import { Results, titleOf } from './results.js';
import { type Bench, type Daemon, runCase } from './run-case.js';
import { openWorld } from './world.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    client: { type: 'string' },
    filter: { type: 'string', default: '' },
    page: { type: 'string' },
    results: { type: 'string' },
    judge: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const chosen = allCases.filter((one) => titleOf(one).includes(values.filter));
if (values.list) say(chosen.map(titleOf).join('\n'));
else process.exitCode = await main();

async function main(): Promise<number> {
  const real = daemonOf('real');
  const ours = daemonOf('ours');
  const { client } = values;
  if (!client || !real || !ours) {
    say(
      'usage: compatibility --client PATH_TO_BUILDCTL [--filter TEXT] [--page FILE] real=ADDRESS ours=ADDRESS',
    );
    return 2;
  }
  const results = new Results(values.results);
  if (!values.judge) await runAll(results, client, real, ours);
  const verdicts = (values.results ? allCases : chosen).flatMap((one) => {
    const observation = results.of(one);
    return observation ? [judge(one, observation)] : [];
  });
  if (values.judge) for (const verdict of verdicts) say(verdictLines(verdict));
  const same = verdicts.filter(isSame).length;
  const open = verdicts.filter((verdict) => !isExplained(verdict)).length;
  say(`${verdicts.length} cases: ${same} same, ${verdicts.length - same - open} known, ${open} unexplained`);
  if (values.page) {
    const peers = { real: await versionOf(client, real), ours: await versionOf(client, ours) };
    writeFileSync(values.page, page(verdicts, peers));
  }
  return open === 0 ? 0 : 1;
}

async function runAll(results: Results, client: string, real: Daemon, ours: Daemon): Promise<void> {
  await using world = await openWorld();
  const bench: Bench = { world, client, begun: Date.now() / 1000 };
  let stopped = false;
  process.once('SIGINT', () => {
    stopped = true;
  });
  for (const one of chosen) {
    if (stopped) break;
    const observation = await examine(one, real, ours, bench);
    results.add(one, observation);
    say(verdictLines(judge(one, observation)));
  }
}

async function examine(one: NamedCase, real: Daemon, ours: Daemon, bench: Bench): Promise<Observation> {
  const begun = performance.now();
  const [left, right] = await Promise.all([runCase(one, real, bench), runCase(one, ours, bench)]);
  return observe(left, right, (performance.now() - begun) / 1000);
}

function daemonOf(side: string): Daemon | undefined {
  const given = positionals.find((text) => text.startsWith(`${side}=`));
  return given ? { side, address: given.slice(side.length + 1) } : undefined;
}

async function versionOf(client: string, { address }: Daemon): Promise<string> {
  const { stdout } = await succeed(client, ['--addr', address, 'debug', 'info']);
  return /BuildKit: \S+ (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
