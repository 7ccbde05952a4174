/** `npm run soak`: a daemon under everything at once, for half an hour. See docs/operating.md. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseBytes, soakDefaults } from './options.js';
import { table } from './report.js';
import { quantities } from './sample.js';
import { soak } from './soak.js';
import { tell } from './verdict.js';

const help = `npm run soak -- [options]

Builds at random from many clients, some of which go away in the middle; kills steps, threads and the daemon, restarts
it, prunes; checks each result, and what the daemon holds when nobody builds. Needs root and a bundle (npm run build).

  --minutes N   how long (${soakDefaults.minutes})
  --clients N   how many build at once (${soakDefaults.clients})
  --seed N      what is built, and in which order things are broken (${soakDefaults.seed})
  --cap BYTES   what garbage collection keeps the cache below (1GB)
  --every N     seconds between two looks at the daemon (${soakDefaults.every})
  --json FILE   writes the figures there
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    clients: { type: 'string' },
    seed: { type: 'string' },
    cap: { type: 'string' },
    every: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const number = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number(text);

if (values.help) say(help);
else {
  const options = {
    minutes: number(values.minutes, soakDefaults.minutes),
    clients: number(values.clients, soakDefaults.clients),
    seed: number(values.seed, soakDefaults.seed),
    cap: values.cap === undefined ? soakDefaults.cap : parseBytes(values.cap),
    every: number(values.every, soakDefaults.every),
  };
  const begun = Date.now();
  const report = await soak(options, (sample) => {
    const at = ((Date.now() - begun) / 60_000).toFixed(1);
    say(`${at} min: ${quantities.map((name) => `${name} ${tell(name, sample[name])}`).join(', ')}`);
  });
  say(`\n${table(report.samples)}\n`);
  for (const part of ['builds', 'troubles', 'excuses'] as const)
    say(`${part}: ${JSON.stringify(report[part], undefined, 2)}`);
  for (const complaint of report.complaints) say(`\nNOT RIGHT: ${complaint}`);
  say(
    report.complaints.length === 0 ? 'nothing is wrong' : `${report.complaints.length} things are not right`,
  );
  if (values.json) await writeFile(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = report.complaints.length === 0 ? 0 : 1;
}
