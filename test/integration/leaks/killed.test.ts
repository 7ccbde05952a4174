/** What is killed with SIGKILL, and what must go with it without anybody's next start. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { processesBelow, removeCgroupParent } from '../support/leftovers.js';
import { onWorker } from '../support/over-workers.js';
import { programs, start } from '../support/processes.js';

const because = 'it looks for leftovers in the cgroups and folders of this worker';

const parent = `buildkit-killed-test-${process.pid}`;
const config = `[worker.oci]\ndefaultCgroupParent = "${parent}"\n`;
const PATIENCE_MS = 30_000;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(50)) if (await holds()) return;
  throw new Error(`not in ${PATIENCE_MS} ms: ${what}`);
}
const someRun = async (): Promise<boolean> =>
  (await processesBelow(parent)).some((line) => line.includes('sleep'));
const noneRuns = async (): Promise<boolean> => (await processesBelow(parent)).length === 0;

onWorker('oci', because, 'after a SIGKILL', () => {
  let ground: Ground;
  let args: readonly string[];
  before(async () => {
    ground = await Ground.open('killed');
    const folder = await ground.write('context', {
      Dockerfile: `FROM ${ground.base}\nRUN sleep 1000 & sleep 1000\n`,
    });
    await ground.write('embedded', { 'buildkitd.toml': config });
    args = [
      'build',
      '--frontend=dockerfile.v0',
      '--local',
      `context=${folder}`,
      '--local',
      `dockerfile=${folder}`,
    ];
  });
  after(async () => {
    // The cgroups of killed containers are left to the next start, which this is.
    for (const name of ['daemon', 'embedded']) {
      await (await DaemonProcess.start({ home: ground.path(name), config })).stop();
    }
    await removeCgroupParent(parent);
    await ground[Symbol.asyncDispose]();
  });

  it('of the daemon its containers end', async () => {
    await using daemon = await ground.daemon('daemon', { config });
    daemon.startBuildctl(args);
    await until('the step runs', someRun);
    await daemon.stop('SIGKILL');
    await until('the step has ended', noneRuns);
  });

  it('of a buildctl with an engine of its own its containers end', async () => {
    const home = ground.path('embedded');
    const flags = ['--root', `${home}/root`, '--config', `${home}/buildkitd.toml`];
    const child = start(programs.buildctl, [...flags, ...args]);
    await until('the step runs', someRun);
    child.kill('SIGKILL');
    await until('the step has ended', noneRuns);
  });

  it('of a client its build is cancelled, and nothing is kept for it', async () => {
    await using daemon = await ground.daemon('daemon', { config });
    await using api = await connectDaemon(daemon.address);
    const client = daemon.startBuildctl(args);
    await until('the step runs', someRun);
    client.kill('SIGKILL');
    await until('the step has ended', noneRuns);
    await until('nothing is held', async () => {
      const { resources } = await api.control.resources(
        { collect: false },
        { signal: new AbortController().signal },
      );
      const held = resources.filter(({ name }) =>
        ['builds', 'tasks', 'sessions', 'open refs'].includes(name),
      );
      expect(held).to.have.length(4);
      return held.every(({ value }) => value === 0);
    });
  });
});
