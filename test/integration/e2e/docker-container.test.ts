/** The daemon's image under a real docker: loaded, run, and reached through `docker exec`. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import { buildDaemonImage } from '../support/daemon-image.js';
import { Docker, whyNotDocker } from '../support/docker.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, programs, run, succeed } from '../support/processes.js';

const NAME = 'buildkitd';
const IMAGE = 'buildkit-ts:test';
const PATIENCE_MS = 30_000;

onWorker('oci', 'the image has this worker only', 'a daemon in a container of docker', () => {
  const why = whyNotDocker();
  if (why !== undefined) {
    it.skip(`is reached by docker-container://: ${why}`);
    return;
  }
  let ground: Ground;
  let docker: Docker;
  before(async function () {
    // Some hundred megabytes are built, written and loaded.
    this.timeout(300_000);
    ground = await Ground.open('docker-container');
    docker = await Docker.start();
    await using daemon = await ground.daemon('builder');
    const tar = ground.path('image.tar');
    await buildDaemonImage(ground, daemon, `type=docker,name=${IMAGE},dest=${tar},compression=uncompressed`);
    await docker.docker('load', '--input', tar);
    await docker.runPrivileged('--detach', '--network=host', '--name', NAME, IMAGE);
    await answering();
  });
  after(async () => {
    await docker?.docker('rm', '--force', '--volumes', NAME);
    await docker?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const buildctl = (...args: readonly string[]): Promise<Finished> =>
    run(programs.buildctl, ['--addr', `docker-container://${NAME}`, ...args], { env: docker.env });

  async function answering(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    let last = await buildctl('debug', 'workers');
    while (last.code !== 0 && Date.now() < end) {
      await sleep(200);
      last = await buildctl('debug', 'workers');
    }
    expect(last.code, last.stderr).to.equal(0);
  }

  it('builds, with files of the client going in and coming out', async () => {
    const folder = await ground.write('context', {
      Dockerfile: `FROM ${ground.base} AS b\nCOPY big /\nRUN wc -c </big >/size\nFROM scratch\nCOPY --from=b /size /\n`,
      big: 'x'.repeat(5_000_000),
    });
    const out = ground.path('out');
    const built = await buildctl(...buildArgs({ folder, outputs: [`type=local,dest=${out}`] }));
    expect(built.code, built.stderr).to.equal(0);
    expect(await readFile(`${out}/size`, 'utf8')).to.equal('5000000\n');
  });

  it('tells what docker says when there is no such container', async () => {
    const args = ['--addr', 'docker-container://nobody', 'debug', 'workers'];
    const { code, stderr } = await run(programs.buildctl, args, { env: docker.env });
    expect(code).to.equal(1);
    expect(stderr).to.match(/no daemon is reached by `docker exec -i nobody .*No such container: nobody/);
  });

  it('leaves nothing running in the container when the client has gone', async () => {
    const { stdout } = await succeed('docker', ['top', NAME, '-eo', 'pid,args'], { env: docker.env });
    expect(stdout)
      .to.match(/buildkitd/)
      .and.not.to.match(/dial-stdio/);
  });

  it('stops when docker stops it', async () => {
    await docker.docker('stop', '--time', '20', NAME);
    const { stdout } = await docker.docker('inspect', '--format', '{{.State.ExitCode}}', NAME);
    expect(stdout).to.equal('0\n');
  });
});
