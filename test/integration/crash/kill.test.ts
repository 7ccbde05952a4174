/**
 * Kills the daemon at random moments of builds and of its start. `CRASH_KILLS` sets how often (default 50),
 * `CRASH_SEED` repeats the moments of an earlier run, as far as the machine's timing lets it.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { build } from '../../../client/build.js';
import type { Daemon } from '../../../client/daemon.js';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { control } from '../../../proto/index.js';
import { Random } from '../../simulation/random.js';
import { type DaemonOptions, DaemonProcess } from '../support/daemon.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import {
  cgroupsBelow,
  mountsOf,
  processesBelow,
  processesNaming,
  removeCgroupParent,
  snapshotFolders,
  stateBytes,
} from '../support/leftovers.js';
import { onWorker } from '../support/over-workers.js';

const because = 'it looks for leftovers in the cgroups and folders of this worker';

const KILLS = Number(process.env.CRASH_KILLS ?? 50);
const SEED = Number(process.env.CRASH_SEED ?? 1);
/** One kill in so many hits the daemon while it starts, and sweeps. */
const KILLS_PER_START = 5;
/**
 * Manifests, configurations and the history's logs belong to no record: what each build may add to the disk until the
 * next prune.
 */
const UNCOUNTED_BYTES = 20 * 1024;
/** How long a sweep may take. */
const SWEEP_MS = 5000;

const dockerfile = (base: string): string => `
FROM ${base} AS tools
ARG ROUND
RUN --mount=type=cache,target=/cache \\
    for i in $(seq 20); do echo $ROUND.$i >/cache/$i; done; cp -r /cache /out; (sleep 60 &); usleep 20000

FROM ${base}
COPY . /app
ARG ROUND
RUN mkdir /data; for i in $(seq 100); do echo $ROUND >/data/$i; done
COPY --from=tools /out /out
RUN test "$(cat /app/round)" = $ROUND && test "$(cat /out/7)" = $ROUND.7 && rm -r /data && echo $ROUND >/result
`;

const parent = `buildkit-crash-test-${process.pid}`;
const config = `[worker.oci]\ndefaultCgroupParent = "${parent}"\n`;

onWorker('oci', because, `a daemon that is killed ${KILLS} times (CRASH_SEED=${SEED})`, function () {
  this.timeout(Math.max(180_000, KILLS * 10_000));
  const random = new Random(SEED);
  const threads = new ThreadPool();
  let ground: Ground;
  let folder: string;
  let worst = 0;
  before(async () => {
    ground = await Ground.open('crash');
    folder = await ground.write('context', { Dockerfile: dockerfile(ground.base), round: '0' });
  });
  after(async () => {
    await threads[Symbol.asyncDispose]();
    await removeCgroupParent(parent);
    await ground[Symbol.asyncDispose]();
  });

  const home = (): DaemonOptions => ({ home: ground.path('daemon'), config });
  const startDaemon = (): Promise<DaemonProcess> => DaemonProcess.start(home());

  async function buildRound(daemon: Daemon, round: number): Promise<void> {
    await ground.write('context', { round: `${round}` });
    const path = ground.path('out');
    await build(
      daemon,
      {
        frontend: 'dockerfile.v0',
        opts: { 'build-arg:ROUND': `${round}` },
        offer: {
          folders: new Map([
            ['context', folder],
            ['dockerfile', folder],
          ]),
          sharedKey: 'crash',
        },
        exports: [
          round % 2 === 0
            ? { type: 'local', attrs: {}, target: { kind: 'folder', path } }
            : { type: 'oci', attrs: {}, target: { kind: 'file', path: `${path}.tar` } },
        ],
      },
      new AbortController().signal,
    );
    if (round % 2 === 0) expect(await readFile(`${path}/result`, 'utf8')).to.equal(`${round}\n`);
  }

  /** What is on disk and on the machine, against what the daemon says. */
  async function look(daemon: DaemonProcess, api: Daemon, uncounted: number) {
    const { record: records } = await api.control.diskUsage(control.DiskUsageRequest.create(), {
      signal: new AbortController().signal,
    });
    const total = records.reduce((sum, { Size }) => sum + Size, 0);
    const difference = (await stateBytes(daemon.root)) - total;
    const folders = await snapshotFolders(daemon.root);
    const own = `${daemon.pid} `;
    return {
      difference,
      untidy: {
        bytes: Math.abs(difference) <= uncounted ? 0 : difference,
        snapshots: folders.length - records.length,
        mounts: await mountsOf(ground.dir),
        processes: await processesBelow(parent),
        runtimes: (await processesNaming(daemon.root)).filter((line) => !line.startsWith(own)),
        cgroups: await cgroupsBelow(parent),
      },
    };
  }

  /** What a start sweeps is removed in the background: it gets its time, but not for ever. */
  async function expectTidy(daemon: DaemonProcess, api: Daemon, uncounted: number): Promise<void> {
    const tidy = { bytes: 0, snapshots: 0, mounts: [], processes: [], runtimes: [], cgroups: [] };
    const deadline = Date.now() + SWEEP_MS;
    let seen = await look(daemon, api, uncounted);
    while (!isDeepStrictEqual(seen.untidy, tidy) && Date.now() < deadline) {
      await sleep(50);
      seen = await look(daemon, api, uncounted);
    }
    expect(seen.untidy).to.deep.equal(tidy);
    worst = Math.max(worst, Math.abs(seen.difference));
  }

  it('builds after each start, and leaves nothing behind', async () => {
    const begun = performance.now();
    const times = { starting: 0, building: 0, looking: 0 };
    let [starts, startMs] = [0, 1000];
    for (let kills = 0; kills < KILLS; ) {
      if (kills % KILLS_PER_START === KILLS_PER_START - 1) {
        await DaemonProcess.startAndKill(home(), random.next() * startMs);
        kills++;
      }
      await using daemon = await startDaemon();
      [starts, startMs] = [starts + 1, daemon.startMs];
      await using api = await connectDaemon(daemon.address, { timeoutMs: 5000, threads });
      const building = performance.now();
      await buildRound(api, starts);
      const looking = performance.now();
      const buildMs = looking - building;
      await expectTidy(daemon, api, (starts + 1) * UNCOUNTED_BYTES);
      times.starting += startMs;
      times.building += buildMs;
      times.looking += performance.now() - looking;
      const next = buildRound(api, starts + 1).catch((error: unknown) => error);
      await sleep(random.next() * buildMs);
      await daemon.stop('SIGKILL');
      await next;
      kills++;
    }
    figure(`${KILLS} kills took`, `${((performance.now() - begun) / 1000).toFixed(0)} s`);
    const each = Object.entries(times).map(([what, ms]) => `${what} ${(ms / starts).toFixed(0)} ms`);
    figure('of these, in each round', each.join(', '));
    figure('most bytes between du and the disk', `${worst}`);
  });

  async function forgetHistory({ control: api }: Daemon): Promise<void> {
    const call = { signal: new AbortController().signal };
    const refs: string[] = [];
    for await (const { record } of api.history!.listen({ EarlyExit: true }, call)) refs.push(record!.Ref);
    for (const ref of refs) await api.history!.update({ Ref: ref, Delete: true }, call);
  }

  it('is empty after prune --all, but for its history', async () => {
    await using daemon = await startDaemon();
    await using api = await connectDaemon(daemon.address, { timeoutMs: 5000, threads });
    const { signal } = new AbortController();
    await forgetHistory(api);
    for await (const _ of api.control.prune(control.PruneRequest.create({ all: true }), { signal }));
    const { record: records } = await api.control.diskUsage(control.DiskUsageRequest.create(), { signal });
    const deadline = Date.now() + SWEEP_MS;
    while ((await stateBytes(daemon.root)) > 0 && Date.now() < deadline) await sleep(50);
    expect([records, await snapshotFolders(daemon.root), await stateBytes(daemon.root)]).to.deep.equal([
      [],
      [],
      0,
    ]);
  });

  it('goes away without a trace on the machine', async () => {
    expect(await mountsOf(ground.dir)).to.deep.equal([]);
    expect(await processesBelow(parent)).to.deep.equal([]);
    expect(await processesNaming(ground.path('daemon'))).to.deep.equal([]);
    expect(await cgroupsBelow(parent)).to.deep.equal([]);
  });
});
