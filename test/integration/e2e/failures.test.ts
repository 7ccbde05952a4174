import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs, stepsOf } from '../support/build.js';
import { CorruptingProxy } from '../support/corrupting-proxy.js';
import type { DaemonProcess } from '../support/daemon.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { onWorker, overWorkers } from '../support/over-workers.js';
import { type Finished, succeed } from '../support/processes.js';
import { sleepers, uniqueSleep } from '../support/sleepers.js';

/** What is printed after the progress. */
const message = ({ stderr }: Finished): string =>
  stderr
    .split('\n')
    .filter((line) => !line.startsWith('{'))
    .join('\n');

overWorkers('a build that fails', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let builds = 0;
  before(async () => {
    ground = await Ground.open('failures', worker);
    daemon = await ground.daemon('daemon');
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });
  afterEach('the daemon goes on building', async () => {
    const { code, stderr } = await build(`FROM ${ground.base}\nRUN echo ${++builds} >/n\n`);
    expect(code, stderr).to.equal(0);
  });

  async function build(dockerfile: string, on = daemon): Promise<Finished> {
    const folder = await ground.write(`context-${++builds}`, { Dockerfile: dockerfile });
    return on.buildctl(buildArgs({ folder }));
  }

  it('for an unknown instruction shows the line and the nearest right one', async () => {
    const failed = await build(`FROM ${ground.base}\nRUM echo hello\n`);
    expect(message(failed)).to.equal(
      [
        'Dockerfile:2',
        '--------------------',
        `   1 |     FROM ${ground.base}`,
        '   2 | >>> RUM echo hello',
        '     |     ^^^',
        '   3 |     ',
        '--------------------',
        'error: failed to solve: dockerfile parse error on line 2: unknown instruction: RUM (did you mean RUN?)',
        '',
      ].join('\n'),
    );
    expect(failed.code).to.equal(1);
  });

  it('for a command shows its line, its output and its exit code', async () => {
    const failed = await build(`FROM ${ground.base}\nRUN echo a\nRUN echo before; exit 7\n`);
    expect(message(failed)).to.include('   3 | >>> RUN echo before; exit 7\n');
    expect(message(failed)).to.include(
      'error: failed to solve: process "/bin/sh -c echo before; exit 7" did not complete successfully: exit code: 7\n',
    );
    const step = stepsOf(failed.stderr).find(({ name }) => name.includes('exit 7'));
    expect(step?.log).to.equal('before\n');
    expect(failed.code).to.equal(1);
  });

  it('for a registry that nobody answers at names it', async () => {
    const failed = await build('FROM 127.0.0.1:1/missing:latest\n');
    expect(message(failed)).to.match(/error: failed to solve: .*127\.0\.0\.1:1\/missing:latest/);
    expect(message(failed)).to.match(/ECONNREFUSED|connection refused/);
    expect(failed.code).to.equal(1);
  });

  it('for an image that is not there says so', async () => {
    const failed = await build(`FROM ${ground.registry.address}/library/nothing:1\n`);
    expect(message(failed)).to.match(/library\/nothing:1.*not found/);
    expect(failed.code).to.equal(1);
  });

  it('for a layer that is not what its digest says names both digests, and keeps nothing of it', async () => {
    await using fresh = await ground.daemon('fresh');
    await using proxy = await CorruptingProxy.start(ground.registry.address, 100_000);
    const spoilt = ground.base.replace(ground.registry.address, proxy.address);
    for (const attempt of [1, 2]) {
      const failed = await build(`FROM ${spoilt}\nRUN echo ${attempt}\n`, fresh);
      expect(message(failed)).to.match(/error: .*sha256:[0-9a-f]{64}.*sha256:[0-9a-f]{64}/);
      expect(failed.code).to.equal(1);
    }
    const right = await build(`FROM ${ground.base}\nRUN echo right\n`, fresh);
    expect(right.code, right.stderr).to.equal(0);
  });

  it('for a file that is not in the context names it', async () => {
    const failed = await build('FROM scratch\nCOPY missing.txt /\n');
    expect(message(failed)).to.match(/>>> COPY missing\.txt/);
    expect(message(failed)).to.match(/missing\.txt.*not found/);
    expect(failed.code).to.equal(1);
  });

  it('because its client was killed has its step ended, and those of others go on', async () => {
    const [mine, theirs] = [uniqueSleep(1000), uniqueSleep(4)];
    const killed = daemon.startBuildctl(buildArgs({ folder: await sleeping('mine', mine) }));
    const other = daemon.buildctl(buildArgs({ folder: await sleeping('theirs', theirs) }));
    await until(() => [mine, theirs].every((seconds) => sleepers(seconds).length > 0));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const begun = performance.now();
    await until(() => sleepers(mine).length === 0);
    figure(
      `a killed client's step ended after, ${worker.name}`,
      `${Math.round(performance.now() - begun)} ms`,
    );
    const { code, stderr } = await other;
    expect(code, stderr).to.equal(0);
  });

  it('because its client was interrupted ends with 130, and its step is ended', async () => {
    const seconds = uniqueSleep(1001);
    const client = daemon.startBuildctl(buildArgs({ folder: await sleeping('interrupted', seconds) }));
    let said = '';
    client.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until(() => sleepers(seconds).length > 0);
    client.kill('SIGINT');
    const [code] = await once(client, 'exit');
    expect(code).to.equal(130);
    await until(() => sleepers(seconds).length === 0);
    expect(said).to.match(/error: .*canceled/);
  });

  it('because its client was interrupted while the result arrived ends as well, and leaves no half a file', async () => {
    const folder = await ground.write('arriving', {
      Dockerfile: `FROM ${ground.base}\nRUN head -c 200000000 /dev/zero >/big\n`,
    });
    const target = ground.path('arriving/result.tar');
    const client = daemon.startBuildctl(buildArgs({ folder, outputs: [`type=tar,dest=${target}`] }));
    const ended = once(client, 'exit');
    for await (const line of createInterface({ input: client.stderr! })) {
      if (line.includes('sending tarball')) client.kill('SIGINT');
    }
    expect(await ended).to.deep.equal([130, null]);
    expect(await readdir(folder)).to.deep.equal(['Dockerfile']);
  });

  const sleeping = (name: string, seconds: string): Promise<string> =>
    ground.write(name, { Dockerfile: `FROM ${ground.base}\nRUN sleep ${seconds}\n` });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

onWorker('oci', 'it fills the disk of the folder that root gives it', 'a daemon whose disk is full', () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open('full');
    await mkdir(ground.path('daemon'));
    await succeed('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', ground.path('daemon')]);
  });
  after(async () => {
    await succeed('umount', [ground.path('daemon')]);
    await ground?.[Symbol.asyncDispose]();
  });

  it('fails builds that need more, saying so, and goes on with those that do not', async () => {
    await using daemon = await ground.daemon('daemon');
    const small = await ground.write('small', { Dockerfile: `FROM ${ground.base}\nRUN echo 1 >/small\n` });
    const first = await daemon.buildctl(buildArgs({ folder: small }));
    expect(first.code, first.stderr).to.equal(0);

    const run = await ground.write('run', {
      Dockerfile: `FROM ${ground.base}\nRUN dd if=/dev/zero of=/big bs=1M count=30\n`,
    });
    const inStep = await daemon.buildctl(buildArgs({ folder: run }));
    expect(inStep.code).to.equal(1);
    const log = stepsOf(inStep.stderr).map((step) => step.log);
    expect(log.join('')).to.include('No space left on device');

    const copy = await ground.write('copy', {
      Dockerfile: 'FROM scratch\nCOPY big /\n',
      big: 'x'.repeat(30 << 20),
    });
    const inContext = await daemon.buildctl(buildArgs({ folder: copy }));
    expect(inContext.code, daemon.log).to.equal(1);
    expect(message(inContext), daemon.log).to.match(/error: .*(ENOSPC|no space left on device)/i);

    const again = await ground.write('small', { Dockerfile: `FROM ${ground.base}\nRUN echo 2 >/small\n` });
    const last = await daemon.buildctl(buildArgs({ folder: again }));
    expect(last.code, last.stderr).to.equal(0);
    const { stdout } = await daemon.buildctl(['prune', '--all']);
    expect(stdout).to.include('Total:');
  });
});
