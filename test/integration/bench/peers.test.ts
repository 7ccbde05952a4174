import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, programs, run } from '../support/processes.js';

const root = join(import.meta.dirname, '../../..');

interface Figures {
  readonly workloads: readonly {
    readonly workload: string;
    readonly outcomes: readonly {
      readonly peer: string;
      readonly seconds: readonly number[];
      readonly processor?: number;
      readonly failure?: string;
    }[];
  }[];
}

onWorker('oci', 'the program asks nothing of a worker', 'npm run bench:peers', (worker) => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open('bench-peers', worker);
  });
  after(() => ground[Symbol.asyncDispose]());

  const bench = (...args: readonly string[]): Promise<Finished> =>
    run(process.execPath, [
      ...['--import', 'tsx', join(root, 'bench/peers/main.ts'), '--client', programs.buildctl],
      ...['--registry', ground.registry.address, ...args],
    ]);

  it('compares two daemons, and tells how one of them fails', async () => {
    const config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
    await using one = await ground.daemon('one', { config });
    await using two = await ground.daemon('two', { config });
    const json = ground.path('figures.json');
    const peers = [`one=${one.address}`, `two=${two.address},${two.pid}`, 'none=unix:///nowhere.sock'];
    const finished = await bench('--only', 'noop', '--runs', '2', '--json', json, ...peers);
    expect(finished.code, finished.stderr).to.equal(1);
    expect(finished.stdout).to.match(
      /noop +one: [\d.]+ s \(min [\d.]+\) +two: [\d.]+ s, x[\d.]+ \(min [\d.]+, CPU [\d.]+\) +none: FAIL /,
    );
    expect(finished.stdout).to.match(/two: peak memory \d+ MiB/);
    const { workloads } = JSON.parse(await readFile(json, 'utf8')) as Figures;
    const outcomes = workloads[0]!.outcomes.map(({ peer, seconds }) => [peer, seconds.length]);
    expect(outcomes).to.deep.equal([
      ['one', 2],
      ['two', 2],
      ['none', 0],
    ]);
  });

  it('says in words what is wrong with its command line', async () => {
    const { code, stderr } = await bench('--only', 'contxt-big', 'a=unix:///a');
    expect([code, stderr.trim()]).to.deep.equal([
      2,
      'bench:peers: there is no workload contxt-big; did you mean context-big? (--help says more)',
    ]);
  });
});
