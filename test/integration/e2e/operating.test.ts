import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { sleepers, uniqueSleep } from '../support/sleepers.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

/** Over the unix socket that `--debugaddr` names. */
const get = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => text(response).then(resolve, reject))
      .on('error', reject)
      .end();
  });

async function stepRuns(socket: string): Promise<void> {
  while (!(await get(socket, '/metrics')).includes('buildkit_steps_running 1\n')) await sleep(20);
}

const ids = async (daemon: DaemonProcess): Promise<readonly string[]> => {
  const { stdout } = await daemon.buildctl(['du', '--format', '{{range .}}{{.ID}} {{end}}']);
  return stdout.trim().split(' ').filter(Boolean).sort();
};

onWorker('oci', because, 'operating a daemon', () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open('operating');
  });
  after(() => ground[Symbol.asyncDispose]());

  const folder = (name: string, run: string): Promise<string> =>
    ground.write(name, { Dockerfile: `FROM ${ground.base}\nRUN ${run}\n` });

  it('lets builds that run come to their end on SIGTERM, and takes no others', async () => {
    await using daemon = await ground.daemon('draining', {
      args: ['--drain', '60s', '--debugaddr', `unix://${ground.path('draining.sock')}`],
    });
    const seconds = uniqueSleep(1000);
    const slow = await ground.write('slow', {
      Dockerfile: `FROM ${ground.base}\nRUN --mount=type=secret,id=x sleep ${seconds} || echo ended\n`,
    });
    const building = daemon.buildctl(
      buildArgs({ folder: slow, args: ['--secret', `id=x,src=${slow}/Dockerfile`] }),
    );
    await stepRuns(ground.path('draining.sock'));
    const ended = daemon.stop();
    await daemon.logged(/stopping: builds that run have 1m0s" builds=1/);
    const late = await daemon.buildctl(buildArgs({ folder: await folder('late', 'echo late') }));
    expect(late.code).to.equal(1);
    expect(late.stderr).to.match(/the daemon is stopping: it takes no new builds/);
    const sleeping = sleepers(seconds);
    expect(sleeping).to.have.length(1);
    for (const pid of sleeping) process.kill(Number(pid), 'SIGKILL');
    expect((await building).code).to.equal(0);
    expect(await ended).to.deep.equal({ code: 0, signal: undefined });
  });

  it('cancels builds that take longer, and at once on a second SIGTERM', async () => {
    for (const [drain, again] of [
      ['200ms', false],
      ['60s', true],
    ] as const) {
      const socket = ground.path(`${drain}.sock`);
      await using daemon = await ground.daemon(`canceling-${drain}`, {
        args: ['--drain', drain, '--debugaddr', `unix://${socket}`],
      });
      const building = daemon.buildctl(buildArgs({ folder: await folder('forever', 'sleep 1000') }));
      await stepRuns(socket);
      const ended = daemon.stop();
      if (again) {
        await daemon.logged(/stopping: builds that run/);
        process.kill(daemon.pid, 'SIGTERM');
      }
      expect((await building).stderr).to.match(/the daemon is stopping: the build was canceled/);
      expect(await ended).to.deep.equal({ code: 0, signal: undefined });
    }
  });

  it('collects garbage by rules that it reads again, and says beforehand what a prune would do', async () => {
    const socket = ground.path('gc.sock');
    await using daemon = await ground.daemon('gc', {
      config: '[worker.oci]\ngc = false\n',
      args: ['--debugaddr', `unix://${socket}`],
    });
    expect(
      (await daemon.buildctl(buildArgs({ folder: await folder('gc-build', 'echo 1 > /f') }))).code,
    ).to.equal(0);
    const before = await ids(daemon);
    expect(JSON.parse(await get(socket, '/debug/gc'))).to.deep.equal({ records: 0, bytes: 0 });

    const plan = (await daemon.buildctl(['prune', '--all', '--dry-run', '--explain'])).stdout;
    expect([...plan.matchAll(/^goes {2}(\S+)/gm)].map(([, id]) => id).sort()).to.deep.equal(before);
    expect(await ids(daemon)).to.deep.equal(before);

    await writeFile(
      ground.path('gc/buildkitd.toml'),
      '[worker.oci]\ngc = true\n[[worker.oci.gcpolicy]]\nall = true\nmaxUsedSpace = 1\n',
    );
    process.kill(daemon.pid, 'SIGHUP');
    await daemon.logged(/configuration read again" changed="worker.oci.gc, worker.oci.gcpolicy"/);
    expect((await daemon.buildctl(['debug', 'workers', '-v'])).stdout).to.match(
      /GC Policy rule#0:\s+All: +true/,
    );
    expect((JSON.parse(await get(socket, '/debug/gc')) as { records: number }).records).to.equal(
      before.length,
    );
    expect(await ids(daemon)).to.deep.equal([]);
    const metrics = await get(socket, '/metrics');
    expect(metrics).to.include(`buildkit_gc_records_total ${before.length}\n`);
    expect(metrics).to.include('buildkit_builds_total{outcome="completed",frontend="dockerfile.v0"} 1\n');
    expect(metrics).to.match(/buildkit_registry_pulled_bytes_total [1-9]/);
  });

  it('goes on as before when the file has an error, and says where', async () => {
    await using daemon = await ground.daemon('typo');
    await writeFile(ground.path('typo/buildkitd.toml'), '\n[worker.oci]\ngcc = true\n');
    process.kill(daemon.pid, 'SIGHUP');
    await daemon.logged(/not read again" error="[^"]*buildkitd.toml:3: unknown key \\"worker.oci.gcc\\"/);
    expect((await daemon.buildctl(['debug', 'info'])).code).to.equal(0);
  });
});
