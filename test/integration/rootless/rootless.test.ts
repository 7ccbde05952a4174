/** What is different for an ordinary user: where things are, what a user namespace lacks, and what is said about it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { buildArgs, stepsOf } from '../support/build.js';
import { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, run, start, succeed } from '../support/processes.js';
import { RootlessHome } from '../support/rootless.js';

const because = 'it is about what is different without root';

onWorker('oci-rootless', because, 'an ordinary user', () => {
  let ground: Ground;
  let home: RootlessHome;
  before(async () => {
    ground = await Ground.open('rootless');
    home = await RootlessHome.open();
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  const as = (...command: readonly string[]): Promise<Finished> => {
    const [program, ...args] = home.command(...command);
    return run(program, args);
  };

  /** A context in the home of the user. */
  async function context(name: string, ...lines: readonly string[]): Promise<string> {
    const folder = home.path(name);
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/Dockerfile`, lines.join('\n'));
    home.give(folder);
    return folder;
  }

  const log = (finished: Finished, step: string): string =>
    stepsOf(finished.stderr).find(({ name }) => name.includes(step))?.log ?? '';

  describe('without a daemon', () => {
    it('builds with buildctl alone, which starts over in a user namespace', async () => {
      const folder = await context(
        'embedded',
        `FROM ${ground.base}`,
        'RUN id -u && cat /proc/self/uid_map > /map && chown 5:6 /map',
      );
      const output = `type=local,dest=${home.path('out')}`;
      const finished = await as('buildctl', ...buildArgs({ folder, outputs: [output] }));
      expect(finished.code, finished.stderr.slice(-2000)).to.equal(0);
      expect(log(finished, 'id -u')).to.equal('0\n');
      expect(readFileSync(home.path('out/map'), 'utf8')).to.match(
        new RegExp(`^\\s+0\\s+${home.user.uid}\\s+1\n`),
      );
      expect(statSync(home.path('out/map')).uid).to.equal(home.user.uid);
      expect(existsSync(home.path('.local/share/buildkit/buildkitd.lock'))).to.equal(true);
    });

    it('takes over the exit status, and says a failure once', async () => {
      const folder = await context('failing', `FROM ${ground.base}`, 'RUN exit 9');
      const finished = await as('buildctl', ...buildArgs({ folder }));
      expect(finished.code).to.equal(1);
      expect(finished.stderr.match(/failed to solve/g)).to.have.length(1);
    });

    it('says what is missing for a user namespace', async () => {
      const nobody = { name: 'nobody', uid: 65534, gid: 65534 };
      const [program, ...args] = home.commandAs(nobody, 'buildctl', 'debug', 'workers');
      const finished = await run(program, args);
      expect(finished.code).to.equal(1);
      expect(finished.stderr).to.match(/builds need a user namespace, and none can be made/);
      expect(finished.stderr).to.match(/hint: .*\/etc\/subuid.*usermod --add-subuids/);
    });
  });

  it('is told how to start a daemon', async () => {
    const finished = await as('buildkitd');
    expect(finished.code).to.equal(1);
    expect(finished.stderr).to.match(/mapped root in a user namespace\nhint: .*rootlesskit buildkitd/);
  });

  describe('with a daemon', () => {
    let daemon: DaemonProcess;
    const started = (...flags: readonly string[]): Promise<DaemonProcess> =>
      DaemonProcess.start({
        home: home.path('daemon'),
        owner: home.user,
        command: home.command('rootlesskit', 'buildkitd', '--containerd-worker=false', ...flags),
      });
    const build = async (name: string, ...lines: readonly string[]): Promise<Finished> =>
      daemon.buildctl(buildArgs({ folder: await context(name, ...lines) }));
    const pid = (): number => Number(readFileSync(`${daemon.root}/buildkitd.lock`, 'utf8'));
    before(async () => {
      daemon = await started();
    });
    after(() => daemon[Symbol.asyncDispose]());

    it('keeps layers with overlayfs', async () => {
      const { stdout } = await daemon.buildctl(['debug', 'workers', '-v']);
      expect(stdout).to.match(/snapshotter:\s+overlayfs/);
    });

    it('leaves out device nodes, which the kernel does not make for it', async () => {
      const folder = await context('devices', `FROM ${ground.base}`, 'ADD tree.tar /added/', 'RUN ls /added');
      await succeed('mknod', [home.path('disk'), 'b', '8', '1']);
      await writeFile(home.path('file'), '');
      await succeed('tar', ['-C', home.dir, '-cf', `${folder}/tree.tar`, 'disk', 'file']);
      home.give(folder);
      const finished = await daemon.buildctl(buildArgs({ folder }));
      expect(log(finished, 'RUN ls'), finished.stderr.slice(-2000)).to.equal('file\n');
    });

    it('says which ids it does not have', async () => {
      const copied = await build('owner', `FROM ${ground.base}`, 'COPY --chown=70000:1 Dockerfile /');
      expect(copied.stderr).to.match(
        /user id 70000 is not among the ids of the user namespace \(0, 1–65536\)/,
      );
      const ran = await build('user', `FROM ${ground.base}`, 'USER 1:80000', 'RUN true');
      expect(ran.stderr).to.match(/group id 80000 is not among the ids .*\/etc\/subgid/);
    });

    it('refuses limits that only cgroups could keep', async () => {
      const folder = await context('limits', `FROM ${ground.base}`, 'RUN true');
      const finished = await daemon.buildctl(buildArgs({ folder, opts: { 'cgroup-parent': 'nightly' } }));
      expect(finished.stderr).to.match(/this worker has no cgroups to set cgroup parent with/);
    });

    it('ends what a daemon that was killed has left running', async () => {
      const seconds = `${6000 + (process.pid % 1000)}.5`;
      const folder = await context('left', `FROM ${ground.base}`, `RUN echo begun; sleep ${seconds}`);
      const client = daemon.startBuildctl(buildArgs({ folder }));
      const ended = new Promise((resolve) => client.once('close', resolve));
      await new Promise<void>((resolve) => {
        client.stderr!.setEncoding('utf8').on('data', (text: string) => {
          if (text.includes(Buffer.from('begun\n').toString('base64'))) resolve();
        });
      });
      process.kill(pid(), 'SIGKILL');
      await ended;
      await daemon[Symbol.asyncDispose]();
      daemon = await started();
      await daemon.logged(/removed 1 containers of a daemon that did not shut down/);
      expect((await run('pgrep', ['-fx', `sleep ${seconds}`])).stdout).to.equal('');
    });

    it('keeps its state on a mount whose flags cannot be cleared', async () => {
      await using locked = await DaemonProcess.start({
        home: home.path('locked-daemon'),
        owner: home.user,
        command: home.command('rootlesskit', 'buildkitd', '--containerd-worker=false'),
        args: ['--root', home.path('locked/state'), '--oci-worker-binary', 'runc'],
      });
      const mount = '--mount=type=bind,target=/context';
      const folder = await context('locked-build', `FROM ${ground.base}`, `RUN ${mount} ls /context`);
      const finished = await locked.buildctl(buildArgs({ folder }));
      expect(log(finished, 'RUN'), finished.stderr.slice(-2000)).to.equal('Dockerfile\n');
    });

    it('runs steps without a process namespace on request', async () => {
      await daemon[Symbol.asyncDispose]();
      daemon = await started('--oci-worker-no-process-sandbox');
      const { stdout } = await daemon.buildctl(['debug', 'workers', '-v']);
      expect(stdout).to.match(/oci\.process-mode:\s+no-sandbox/);
      const finished = await build('processes', `FROM ${ground.base}`, 'RUN ls -d /proc/[0-9]*');
      expect(log(finished, 'RUN ls').split('\n')).to.include(`/proc/${pid()}`);
    });
  });

  it('finds its own daemon and configuration in the folders of the XDG specification', async () => {
    const config = home.path('.config/buildkit');
    await mkdir(config, { recursive: true });
    await writeFile(`${config}/buildkitd.toml`, '[worker.oci.labels]\nfound = "yes"\n');
    home.give(home.path('.config'));
    const [program, ...args] = home.command('rootlesskit', 'buildkitd', '--containerd-worker=false');
    const child = start(program, args);
    const ended = new Promise((resolve) => child.once('close', resolve));
    await new Promise<void>((resolve) => {
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes(`running server on unix://${home.socket}`)) resolve();
      });
      child.once('close', () => resolve());
    });
    const finished = await as('buildctl', 'debug', 'workers', '-v');
    child.kill('SIGTERM');
    await ended;
    expect(finished.stderr).to.equal('');
    expect(finished.stdout).to.match(/found:\s+yes/);
  });
});
