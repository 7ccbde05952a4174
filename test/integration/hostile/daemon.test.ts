/**
 * Hostile clients of a real daemon: nothing outside of its root changes, it answers each in time, and serves the next one.
 * `HOSTILE_SEED` repeats a run, `HOSTILE_FACTOR` makes it longer.
 */
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { build } from '../../../client/build.js';
import type { Daemon } from '../../../client/daemon.js';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { copy, image, local, marshal, scratch } from '../../../client/llb/index.js';
import { sha256 } from '../../../core/util/digest.js';
import { control, type Init, pb } from '../../../proto/index.js';
import { Canary } from '../../support/hostile/canary.js';
import { encode, hostileAction, hostileExec, mutated } from '../../support/hostile/ops.js';
import { survivesLater } from '../../support/hostile/refusal.js';
import { hostileSeed, nastyText, runs } from '../../support/hostile/values.js';
import type { DaemonProcess } from '../support/daemon.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';

const because = 'what it attacks lies before the worker, and it looks into the folders of this one';

/** How long the daemon may take for one of them, in milliseconds. */
const DEADLINE_MS = 20_000;

onWorker('oci', because, `a daemon with hostile clients (HOSTILE_SEED=${hostileSeed})`, function () {
  this.timeout(240_000);
  const seed = hostileSeed;
  const never = new AbortController().signal;
  let ground: Ground;
  let daemon: DaemonProcess;
  let client: Daemon;
  let canary: Canary;

  before(async () => {
    ground = await Ground.open('hostile');
    canary = new Canary();
    daemon = await ground.daemon('daemon');
    client = await connectDaemon(daemon.address);
  });
  after(async () => {
    await client?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    canary[Symbol.dispose]();
    await ground?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    canary.check();
    const file = ground.path('healthy');
    const healthy = image(ground.base)
      .run({ args: ['true'], ignoreCache: true })
      .root();
    await build(
      client,
      {
        definition: marshal(scratch().file(copy(healthy, '/etc/passwd', '/'))),
        exports: [{ type: 'local', attrs: {}, target: { kind: 'folder', path: file } }],
      },
      AbortSignal.timeout(DEADLINE_MS),
    );
    expect(await readdir(file)).to.deep.equal(['passwd']);
  });

  const solve = (def: readonly Uint8Array[]): Promise<boolean> =>
    survivesLater(
      (signal) => build(client, { definition: pb.Definition.create({ def: def as Uint8Array[] }) }, signal),
      DEADLINE_MS,
    );
  const input = (op: Uint8Array): { digest: string } => ({ digest: sha256(op) });

  /** A tree whose links lead to the canary and to everywhere. */
  function links(): Uint8Array {
    const to = (newpath: string, oldpath: string, i: number): Init<pb.FileAction> => ({
      input: i - 1,
      secondaryInput: -1,
      output: -1,
      symlink: { oldpath, newpath },
    });
    const targets = {
      link: '/',
      dir: canary.inside,
      canary: `${canary.inside}/../canary`,
      c: '../../../../../..',
    };
    const actions = Object.entries(targets).map(([name, target], i) => to(`/${name}`, target, i));
    return encode({ file: { actions: [...actions, { ...to('/b', 'b', actions.length), output: 0 }] } });
  }

  it('does file actions of any kind below its root only', async () => {
    const base = links();
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(hostileAction, async (action) => {
        const file = { actions: [{ ...action, input: 0, secondaryInput: 0, output: 0 }] };
        const op = encode({ inputs: [input(base)], file });
        if (await solve([base, op, encode({ inputs: [input(op)] })])) accepted++;
        canary.check();
      }),
      { numRuns: runs(200), seed },
    );
    figure('file actions that were done', `${accepted}`);
  });

  it('runs or refuses steps of any kind', async () => {
    const base = encode({ source: { identifier: `docker-image://${ground.base}` } });
    const names = { meta: { args: ['true'], cwd: '/' } };
    await fc.assert(
      fc.asyncProperty(hostileExec, async (exec) => {
        const mounts = [{ input: 0, dest: '/', output: 0 }, ...(exec.mounts ?? [])];
        const meta = { ...names.meta, ...exec.meta, args: ['true'] };
        const op = encode({
          inputs: [input(base)],
          exec: {
            ...exec,
            meta,
            mounts: mounts.map((each, i) => (i === 0 ? each : { ...each, output: -1 })),
          },
        });
        await solve([base, op, encode({ inputs: [input(op)] })]);
        canary.check();
      }),
      { numRuns: runs(80), seed },
    );
  });

  it('answers calls of any content', async () => {
    const request = control.SolveRequest.encode(
      control.SolveRequest.create({
        Ref: 'x',
        Session: 'y',
        Frontend: 'dockerfile.v0',
        FrontendAttrs: { a: 'b' },
      }),
    ).finish();
    await fc.assert(
      fc.asyncProperty(mutated(fc.constant(request)), nastyText, async (bytes, text) => {
        await survivesLater(async (signal) => {
          const decoded = control.SolveRequest.decode(bytes);
          // Without a session it waits for one; it is the answer that matters here.
          await client.control.solve({ ...decoded, Session: '' }, { signal });
        }, DEADLINE_MS);
        await survivesLater(
          (signal) =>
            client.control.diskUsage(control.DiskUsageRequest.create({ filter: [text] }), { signal }),
          DEADLINE_MS,
        );
      }),
      { numRuns: runs(60), seed },
    );
  });

  it('follows links of a context inside of the context', async () => {
    const folder = await ground.write('context', { Dockerfile: 'FROM scratch\nCOPY out/file in/ /\n' });
    await mkdir(`${folder}/in`);
    await writeFile(`${canary.inside}/file`, 'x');
    await symlink(`${canary.inside}/../canary`, `${folder}/out`);
    await symlink(`${canary.inside}/../etc/passwd`, `${folder}/in/passwd`);
    const finished = await daemon.buildctl([
      ...[
        'build',
        '--frontend=dockerfile.v0',
        '--local',
        `context=${folder}`,
        '--local',
        `dockerfile=${folder}`,
      ],
    ]);
    expect(finished.code).to.equal(1);
    expect(finished.stderr).to.contain('not found');
    const state = scratch().file(copy(local('context'), '/out/../../../../etc/passwd', '/'));
    const offer = { folders: new Map([['context', folder]]) };
    await survivesLater(
      (signal) => build(client, { definition: marshal(state), offer }, signal),
      DEADLINE_MS,
    );
  });

  it('removes and measures trees that no path can name', async () => {
    const script = 'i=0; while [ $i -lt 3000 ]; do mkdir dddd && cd dddd && echo x >f; i=$((i+1)); done';
    const deep = image(ground.base)
      .run({ args: ['/bin/sh', '-c', `mkdir /deep && cd /deep && ${script}`] })
      .root();
    await build(client, { definition: marshal(deep) }, AbortSignal.timeout(60_000));
    const { record } = await client.control.diskUsage(control.DiskUsageRequest.create(), { signal: never });
    // The shell gives up where its own path ends; the daemon's is longer by the place of the snapshot. Folders take room
    // on some file systems, and none on others.
    const levels = (4095 - '/deep'.length) / '/dddd'.length;
    const folder = (await stat(daemon.root)).blocks * 512;
    expect(Math.max(...record.map(({ Size }) => Size))).to.be.at.least(
      levels * (4096 + Math.min(folder, 4096)),
    );
    for await (const _ of client.control.prune(control.PruneRequest.create({ all: true }), {
      signal: never,
    }));
    const left = await client.control.diskUsage(control.DiskUsageRequest.create(), { signal: never });
    expect(left.record).to.deep.equal([]);
    expect(await readdir(`${daemon.root}/runc/snapshots/overlayfs/s`)).to.deep.equal([]);
  });
});
