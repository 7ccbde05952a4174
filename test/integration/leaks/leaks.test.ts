/**
 * Many builds, and then nothing may be left of them. `LEAK_BUILDS` sets how many (default 200), `LEAK_SEED` repeats the
 * moments at which builds were cancelled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { Daemon } from '../../../client/daemon.js';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { readAll } from '../../../core/kv/read-all.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { control } from '../../../proto/index.js';
import { Random } from '../../simulation/random.js';
import type { DaemonProcess } from '../support/daemon.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { processesNaming, removeCgroupParent } from '../support/leftovers.js';
import { onWorker } from '../support/over-workers.js';
import { type Holdings, holdings } from './holdings.js';
import { ManyBuilds } from './many-builds.js';

const because = 'it looks for leftovers in the cgroups and folders of this worker';

const BUILDS = Number(process.env.LEAK_BUILDS ?? 200);
const SEED = Number(process.env.LEAK_SEED ?? 1);
/** After these everything is loaded that will ever be, and all caches of code are warm. */
const WARM_UP = 20;
const CLIENTS = 3;
const HEAP_GROWTH = 1.2;
/** What is removed after a build's end may take so long, in milliseconds. */
const PATIENCE_MS = 20_000;

const parent = `buildkit-leak-test-${process.pid}`;
const config = `[worker.oci]\ndefaultCgroupParent = "${parent}"\n`;

onWorker('oci', because, `a daemon after ${BUILDS} builds (LEAK_SEED=${SEED})`, function () {
  this.timeout(Math.max(240_000, BUILDS * 2000));
  const threads = new ThreadPool();
  const clients: Daemon[] = [];
  let ground: Ground;
  let daemon: DaemonProcess;
  let temporary: string;

  before(async () => {
    ground = await Ground.open('leaks');
    temporary = await ground.write('tmp', {});
    await ground.write('tmp', { keep: '' });
    daemon = await ground.daemon('daemon', { config, env: { TMPDIR: temporary } });
    for (let i = 0; i < CLIENTS; i++) clients.push(await connectDaemon(daemon.address, { threads }));
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    await threads[Symbol.asyncDispose]();
    await removeCgroupParent(parent);
    await ground?.[Symbol.asyncDispose]();
  });

  async function pruned(): Promise<Holdings> {
    const call = { signal: new AbortController().signal };
    for await (const _ of clients[0]!.control.prune(control.PruneRequest.create({ all: true }), call));
    return holdings(daemon, clients[0]!, temporary, parent);
  }

  /** The one child is the shell that ends the containers when the daemon is killed. */
  const still = { builds: 0, tasks: 0, sessions: 0, 'open refs': 0, children: 1, cgroups: 0, processes: 0 };

  it('holds what it held after the first of them', async () => {
    const builds = await ManyBuilds.open(ground, new Random(SEED));
    await builds.run(WARM_UP, clients);
    let first = await pruned();
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !isQuiet(first); first = await pruned()) {
      await sleep(200);
    }
    expect(first.counts).to.include(still);

    const begun = performance.now();
    const tally = await builds.run(BUILDS - WARM_UP, clients);
    figure('builds', `${JSON.stringify(tally)} in ${((performance.now() - begun) / 1000).toFixed(0)} s`);

    let last = await pruned();
    for (
      const end = Date.now() + PATIENCE_MS;
      Date.now() < end && !isSame(first, last);
      last = await pruned()
    ) {
      await sleep(200);
    }
    const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
    figure('heap', `${megabytes(first.heapBytes)}, then ${megabytes(last.heapBytes)}`);
    figure('descriptors', `${first.descriptors.length}, then ${last.descriptors.length}`);
    expect(last.counts, `${added(first.files, last.files)}`).to.deep.equal(first.counts);
    expect(added(first.descriptors, last.descriptors).length, 'descriptors').to.be.at.most(4);
    expect(last.heapBytes / first.heapBytes, 'growth of the heap').to.be.below(HEAP_GROWTH);
  });

  it('stops without a trace, and leaves no record, lease or key behind', async () => {
    await daemon.stop();
    expect(await processesNaming(daemon.root)).to.deep.equal([]);
    const tables = new Map<string, number>();
    const count = (name: string): unknown => tables.set(name, (tables.get(name) ?? 0) + 1);
    for await (const { table, key } of readAll(`${daemon.root}/metadata.mdb`)) {
      // A hold is named by the blob and by who holds it: `<digest> <kind>:<id>`.
      count(table === 'blob-holds' ? `holds of ${key.replace(/^.* (.*):.*$/, '$1')}` : table);
    }
    // The daemon remembers its builds; else there is only the mark of the schema.
    const remembered = ['', 'gc', 'history', 'holds of alone:history', 'blobs'];
    const left = [...tables].filter(([table]) => !remembered.includes(table));
    expect(Object.fromEntries(left)).to.deep.equal({});
    figure('tables', JSON.stringify(Object.fromEntries(tables)));
  });

  const isQuiet = ({ counts }: Holdings): boolean =>
    Object.entries(still).every(([name, value]) => counts[name] === value);
  const isSame = (a: Holdings, b: Holdings): boolean =>
    isDeepStrictEqual(a.counts, b.counts) && added(a.descriptors, b.descriptors).length <= 4;
});

/** What `after` has more of, each as often as it has more of it. */
function added(before: readonly string[], after: readonly string[]): readonly string[] {
  const known = [...before];
  return after.filter((each) => {
    const at = known.indexOf(each);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}
