/**
 * Exchanges caches between BuildKit and the daemon here, with BuildKit's own client: what one exports, the other imports
 * with nothing of its own, and then has nothing to run. Empties the caches of both daemons.
 *
 *   npx tsx test/wire/cache-exchange --client PATH_TO_BUILDCTL [--filter TEXT] [--page FILE] real=ADDRESS ours=ADDRESS
 *
 * The program ends with 1 when BuildKit's cache says more to BuildKit than to the daemon here, or a cache of here says
 * less to BuildKit than its own.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openWorld } from '../compatibility/world.js';
import { exchanged } from './builds.js';
import { Exchange, type Peer, ways } from './exchange.js';
import { type Outcome, page, problemsOf } from './page.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    client: { type: 'string' },
    filter: { type: 'string', default: '' },
    page: { type: 'string' },
  },
});
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const addressOf = (side: string): string | undefined =>
  positionals.find((text) => text.startsWith(`${side}=`))?.slice(side.length + 1);

process.exitCode = await main(values.client, addressOf('real'), addressOf('ours'));

async function main(client?: string, real?: string, ours?: string): Promise<number> {
  if (!client || !real || !ours) {
    say(
      'usage: cache-exchange --client PATH_TO_BUILDCTL [--filter TEXT] [--page FILE] real=ADDRESS ours=ADDRESS',
    );
    return 2;
  }
  const outcomes = await exchangeAll(
    client,
    { name: 'BuildKit', address: real },
    { name: 'here', address: ours },
  );
  const problems = problemsOf(outcomes);
  for (const problem of problems) say(`WRONG ${problem}`);
  if (values.page) writeFileSync(values.page, page(outcomes));
  say(`${outcomes.length} exchanges, ${problems.length} of them wrong`);
  return problems.length === 0 ? 0 : 1;
}

async function exchangeAll(client: string, real: Peer, ours: Peer): Promise<readonly Outcome[]> {
  await using world = await openWorld();
  const outcomes: Outcome[] = [];
  for (const build of exchanged.filter(({ name }) => name.includes(values.filter))) {
    using exchange = new Exchange(build, world, client);
    for (const way of ways) {
      for (const [by, importers] of [
        [real, [ours, real]],
        [ours, [real]],
      ] as const) {
        await exchange.export(by, way);
        for (const importer of importers) {
          const ran = await exchange.import(importer, by, way);
          outcomes.push({ build: build.name, way: way.name, from: by.name, to: importer.name, ran });
          say(
            `${build.name} | ${way.name} | ${by.name} → ${importer.name}: ${ran.join('; ') || 'nothing ran'}`,
          );
        }
      }
    }
  }
  return outcomes;
}
