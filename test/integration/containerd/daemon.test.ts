import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs, ranSteps } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { mountsOf } from '../support/leftovers.js';
import { onWorker } from '../support/over-workers.js';
import type { Finished } from '../support/processes.js';
import { PrivateContainerd } from './private-containerd.js';

const NAMESPACE = 'buildkit';
const IMAGE = 'example.com/greeter:latest';

onWorker('containerd', 'it is about containerd', 'a daemon on containerd', () => {
  let ground: Ground;
  let server: PrivateContainerd;
  before(async () => {
    ground = await Ground.open('containerd');
    server = await PrivateContainerd.start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  const start = (args: readonly string[] = ['--oci-worker=false']): Promise<DaemonProcess> =>
    ground.daemon('home', {
      config: `[worker.containerd]\nenabled = true\naddress = "${server.socket}"\n`,
      args,
    });
  const ctr = (...args: readonly string[]): string => server.ctr(NAMESPACE, ...args);
  const buildExample = (daemon: DaemonProcess, output: string): Promise<Finished> =>
    daemon.buildctl(
      buildArgs({
        folder: 'examples/multistage',
        opts: { 'build-arg:BASE': ground.base, 'build-arg:VERSION': '2.5.0' },
        outputs: [output],
      }),
    );
  /** A build of one step that goes on for long, as soon as its container runs. */
  const startSleeping = async (daemon: DaemonProcess, script: string) => {
    const folder = await ground.write('sleep', { Dockerfile: `FROM ${ground.base}\nRUN ${script}\n` });
    const build = daemon.startBuildctl(buildArgs({ folder, args: ['--no-cache'] }));
    while (!ctr('tasks', 'ls').includes('RUNNING')) await sleep(20);
    return build;
  };
  const expectNothingRuns = async (): Promise<void> => {
    expect(ctr('containers', 'ls', '-q')).to.equal('');
    expect((await mountsOf(ground.path('home'))).filter((line) => line.includes('/trees/'))).to.deep.equal(
      [],
    );
  };

  it('builds an image that ctr lists, checks and runs', async () => {
    await using daemon = await start();
    const built = await buildExample(daemon, `type=image,name=${IMAGE},unpack=true`);
    expect(built.code, built.stderr).to.equal(0);
    expect(ctr('images', 'ls', '-q')).to.equal(`${IMAGE}\n`);
    expect(ctr('images', 'check', `name==${IMAGE}`)).to.match(/complete \((\d+)\/\1\).*true\s*$/m);
    expect(ctr('run', '--rm', IMAGE, 'greeting', 'greeter', 'world')).to.match(/Hello from version 2\.5\.0/);
    await expectNothingRuns();
  });

  it('finds everything again after a restart', async () => {
    await using daemon = await start();
    const again = await buildExample(daemon, `type=oci,dest=${ground.path('again.tar')}`);
    expect(again.code, again.stderr).to.equal(0);
    expect(ranSteps(again)).to.deep.equal([]);
  });

  it('leaves images alone when the cache is pruned, and containerd the cache', async () => {
    await using daemon = await start();
    const pruned = await daemon.buildctl(['prune', '--all']);
    expect(pruned.code, pruned.stderr).to.equal(0);
    expect(ctr('images', 'check', `name==${IMAGE}`)).to.match(/complete \((\d+)\/\1\)/);
    expect(ctr('run', '--rm', IMAGE, 'pruned', 'greeter', 'world')).to.match(/Hello/);
    const rebuilt = await buildExample(daemon, 'type=image');
    expect(rebuilt.code, rebuilt.stderr).to.equal(0);
    expect(ranSteps(rebuilt)).not.to.deep.equal([]);
    ctr('images', 'rm', '--sync', IMAGE);
    expect(ranSteps(await buildExample(daemon, 'type=image'))).to.deep.equal([]);
  });

  it('stops the container of a build that is canceled', async () => {
    await using daemon = await start();
    const build = await startSleeping(daemon, "trap '' TERM; sleep 1000");
    build.kill('SIGINT');
    while (ctr('containers', 'ls', '-q') !== '') await sleep(20);
    await expectNothingRuns();
  });

  it('takes away what a killed daemon left', async () => {
    const killed = await start();
    await startSleeping(killed, "trap '' TERM; sleep 1000");
    await killed.stop('SIGKILL');
    expect(ctr('containers', 'ls', '-q')).not.to.equal('');
    await using _daemon = await start();
    await expectNothingRuns();
  });

  it('goes on with steps that ran while containerd was restarted', async () => {
    await using daemon = await start();
    const build = await startSleeping(daemon, 'usleep 1500000; echo done');
    const ended = once(build, 'close');
    await server.restart();
    const [code] = await ended;
    expect(code, daemon.log).to.equal(0);
    await expectNothingRuns();
  });

  it('is the second worker where there is another', async () => {
    await using daemon = await start([]);
    const { stdout } = await daemon.buildctl(['debug', 'workers', '-v']);
    const executors = [...stdout.matchAll(/worker\.executor:\s+(\w+)/g)].map(([, name]) => name);
    expect(executors).to.deep.equal(['oci', 'containerd']);
  });

  it('is skipped where nobody listens, or stops the start if it must be there', async () => {
    const socket = ground.path('nobody.sock');
    const config = (enabled: string): string =>
      `[worker.containerd]\nenabled = ${enabled}\naddress = "${socket}"\n`;
    await using daemon = await ground.daemon('auto', { config: config('"auto"') });
    expect(daemon.log).to.include(`plugin worker.containerd skipped: containerd at ${socket}`);
    const refused = await ground.daemon('required', { config: config('true') }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(refused).to.include(`required plugin worker.containerd is not there: containerd at ${socket}`);
  });
});
