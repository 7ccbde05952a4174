/** The programs behind the mounts of fuse-overlayfs: there while a step runs, and never longer. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { run } from '../support/processes.js';

const PATIENCE_MS = 10_000;

overWorkers(
  'fuse-overlayfs',
  (worker) => {
    let ground: Ground;
    let daemon: DaemonProcess;
    before(async () => {
      ground = await Ground.open('fuse', worker);
    });
    after(() => ground[Symbol.asyncDispose]());
    beforeEach(async () => {
      daemon = await ground.daemon('daemon');
    });
    afterEach(() => daemon[Symbol.asyncDispose]());

    /** Those that serve mounts of this daemon. */
    const programs = async (): Promise<readonly number[]> =>
      (await run('pgrep', ['-f', `^fuse-overlayfs .*${daemon.root}/`])).stdout
        .split('\n')
        .filter(Boolean)
        .map(Number);

    async function noneLeft(): Promise<readonly number[]> {
      const end = Date.now() + PATIENCE_MS;
      while ((await programs()).length > 0 && Date.now() < end) await sleep(50);
      return programs();
    }

    /** A build whose step says `begun` and goes on; resolves when it has said so. */
    async function begin(
      name: string,
      then: string,
    ): Promise<{ ended: Promise<{ code: number | null; said: string }> }> {
      const folder = await ground.write(name, {
        Dockerfile: `FROM ${ground.base}\nRUN echo begun; ${then}\n`,
      });
      const client = daemon.startBuildctl(buildArgs({ folder }));
      let said = '';
      const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
        client.once('close', (code) => resolve({ code, said }));
      });
      await new Promise<void>((resolve) => {
        client.once('close', () => resolve());
        client.stderr!.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (said.includes(Buffer.from('begun\n').toString('base64'))) resolve();
        });
      });
      return { ended };
    }

    it('is what the worker says that it uses', async () => {
      const { stdout } = await daemon.buildctl(['debug', 'workers', '-v']);
      expect(stdout).to.match(/worker\.snapshotter:\s+fuse-overlayfs/);
    });

    it('ends with the step that it serves', async () => {
      const { ended } = await begin('served', 'sleep 1');
      expect(await programs()).to.have.length(1);
      expect((await ended).code).to.equal(0);
      expect(await programs()).to.deep.equal([]);
    });

    it('fails a step when it dies', async () => {
      const { ended } = await begin('dying', 'sleep 2; true');
      for (const pid of await programs()) process.kill(pid, 'SIGKILL');
      const { code, said } = await ended;
      expect(code).to.equal(1);
      expect(said).to.match(/fuse-overlayfs ended with exit code 137 while it was needed/);
    });

    it('ends with a daemon that is killed', async () => {
      const { ended } = await begin('killed', 'sleep 600');
      expect(await programs()).to.have.length(1);
      process.kill(Number(readFileSync(`${daemon.root}/buildkitd.lock`, 'utf8')), 'SIGKILL');
      await ended;
      // Without cgroups a rootless container lives until the next start (docs/rootless.md).
      if (worker.name === 'oci-rootless-fuse') {
        await daemon[Symbol.asyncDispose]();
        daemon = await ground.daemon('daemon');
      }
      expect(await noneLeft()).to.deep.equal([]);
    });
  },
  { workers: ['oci-fuse', 'oci-rootless-fuse'] },
);
