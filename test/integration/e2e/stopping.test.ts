import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { cgroupsBelow, mountsOf, processesBelow, removeCgroupParent } from '../support/leftovers.js';
import { onWorker } from '../support/over-workers.js';

const because = 'it looks for leftovers in the cgroups and folders of this worker';

const parent = `buildkit-stopping-test-${process.pid}`;
const config = `[worker.oci]\ndefaultCgroupParent = "${parent}"\n`;
/** A machine that is busy takes its time. */
const PROMPT_MS = 3000;

onWorker('oci', because, 'a daemon that is told to stop', () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open('stopping');
  });
  after(async () => {
    await removeCgroupParent(parent);
    await ground[Symbol.asyncDispose]();
  });

  async function expectNothingLeft(): Promise<void> {
    expect(await processesBelow(parent)).to.deep.equal([]);
    expect(await cgroupsBelow(parent)).to.deep.equal([]);
    expect(await mountsOf(ground.dir)).to.deep.equal([]);
  }

  async function stopTimed(daemon: DaemonProcess, what: string, signal?: NodeJS.Signals) {
    const begun = performance.now();
    const ended = await daemon.stop(signal);
    const ms = Math.round(performance.now() - begun);
    figure(`${what} ends after`, `${ms} ms`);
    return { ...ended, prompt: ms < PROMPT_MS || `${ms} ms` };
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with 0 on ${signal} when it is idle`, async () => {
      await using daemon = await ground.daemon('idle', { config });
      const ended = await stopTimed(daemon, 'an idle daemon', signal);
      expect(ended, daemon.log).to.deep.equal({ code: 0, signal: undefined, prompt: true });
      expect(existsSync(ground.path('idle/buildkitd.sock'))).to.equal(false);
      await expectNothingLeft();
    });
  }

  it('cancels the builds that run, whose clients are told, and ends with 0', async () => {
    await using daemon = await ground.daemon('building', { config });
    const folder = await ground.write('sleep', {
      Dockerfile: `FROM ${ground.base}\nRUN trap '' TERM; sleep 1000\n`,
    });
    const build = daemon.buildctl(buildArgs({ folder }));
    while ((await processesBelow(parent)).length === 0) await sleep(20);
    const ended = await stopTimed(daemon, 'a building daemon');
    expect(ended, daemon.log).to.deep.equal({ code: 0, signal: undefined, prompt: true });
    const { code, stderr } = await build;
    expect(code).to.equal(1);
    expect(stderr.split('\n').filter((line) => line.startsWith('error: '))).to.deep.equal([
      'error: failed to solve: the daemon is stopping: the build was canceled',
    ]);
    await expectNothingLeft();
  });
  it('does not wait any longer on a second SIGTERM', async () => {
    await using daemon = await ground.daemon('impatient', { config });
    const begun = performance.now();
    process.kill(daemon.pid, 'SIGTERM');
    const { prompt } = await stopTimed(daemon, 'a daemon that is told twice');
    expect([prompt, performance.now() - begun < PROMPT_MS]).to.deep.equal([true, true]);
  });
});
