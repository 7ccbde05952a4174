/** What the keys do that are about the daemon itself: with nothing on its command line but the file. */
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, programs, run, start } from '../support/processes.js';

const because = 'the daemon is the same, whatever runs its steps';

onWorker('oci', because, 'settings of the daemon', (worker) => {
  let ground: Ground;
  let made = 0;
  before(async () => {
    ground = await Ground.open('daemon-settings', worker);
  });
  after(() => ground?.[Symbol.asyncDispose]());

  const build = async (daemon: DaemonProcess, run: string, ...args: readonly string[]): Promise<Finished> => {
    const folder = await ground.write(`c${++made}`, { Dockerfile: `FROM ${ground.base}\nRUN ${run}\n` });
    return daemon.buildctl(buildArgs({ folder, args }));
  };

  it('say where it keeps its state, where it listens and for whom, what it logs, and where it is watched', async () => {
    const [first, second, debug, otel] = ['a.sock', 'deep/b.sock', 'debug.sock', 'otel.sock'].map((name) =>
      ground.path('plain', name),
    );
    const folder = await ground.write('plain', {
      'buildkitd.toml': [
        `root = "${ground.path('plain/state')}"`,
        '[log]\nformat = "json"\nlevel = "info"',
        `[grpc]\naddress = ["unix://${first}", "unix://${second}"]`,
        `debugAddress = "unix://${debug}"\nuid = 12\ngid = 34`,
        // Nobody listens for spans that are kept nowhere.
        `[history]\ntraces = true\n[otel]\nsocketPath = "${otel}"`,
        '[worker.containerd]\nenabled = false\n',
      ].join('\n'),
    });
    const child = start(programs.buildkitd, ['--config', `${folder}/buildkitd.toml`]);
    let log = '';
    child.stderr!.setEncoding('utf8').on('data', (data: string) => (log += data));
    const closed = once(child, 'close');
    try {
      while (!log.includes(`running server on unix://${second}`)) {
        const more = await Promise.race([once(child.stderr!, 'data'), closed.then(() => undefined)]);
        if (more === undefined) throw new Error(`buildkitd ended:\n${log}`);
      }
      expect(existsSync(ground.path('plain/state/buildkitd.lock'))).to.equal(true);
      expect(statSync(otel!).isSocket()).to.equal(true);
      for (const socket of [first!, second!]) {
        const { uid, gid } = statSync(socket);
        expect([uid, gid]).to.deep.equal([12, 34]);
        const { code } = await run(programs.buildctl, ['--addr', `unix://${socket}`, 'debug', 'workers']);
        expect(code).to.equal(0);
      }
      expect(await get(debug!, '/metrics')).to.include('buildkit_builds_running 0');
      const lines = log.trim().split('\n');
      expect(lines.map((line) => typeof JSON.parse(line))).to.deep.equal(lines.map(() => 'object'));
    } finally {
      child.kill('SIGTERM');
      await closed;
    }
  });

  it('grant what builds ask for, and nothing else', async () => {
    await using daemon = await ground.daemon('granting', {
      config: 'insecure-entitlements = ["network.host"]\n',
    });
    const granted = await build(daemon, '--network=host true', '--allow', 'network.host');
    expect(granted.code, granted.stderr.slice(-2000)).to.equal(0);
    const refused = await build(daemon, 'true', '--allow', 'security.insecure');
    expect(refused.stderr).to.match(/security\.insecure is not allowed/);
  });

  it('say when the main thread counts as blocked', async () => {
    /** Keeps a parser busy. */
    const long = Array.from({ length: 2000 }, (_, at) => `ENV v${at}=$v${at - 1}`).join('\n');
    const folder = await ground.write('long', { Dockerfile: `FROM ${ground.base}\n${long}\n` });
    await using daemon = await ground.daemon('watched', { config: '[watchdog]\nthreshold = "20ms"\n' });
    await daemon.buildctl(buildArgs({ folder }));
    await daemon.logged(/the main thread was blocked/);
    await using calm = await ground.daemon('calm', { config: '[watchdog]\nthreshold = 0\n' });
    await calm.buildctl(buildArgs({ folder }));
    expect(calm.log).not.to.include('the main thread was blocked');
  });

  it('hide devices that are described', async () => {
    const described = {
      cdiVersion: '0.6.0',
      kind: 'acme.com/x',
      devices: [{ name: 'y', containerEdits: { env: ['Y=1'] } }],
    };
    const folder = await ground.write('cdi', { 'acme.json': JSON.stringify(described) });
    const seen = async (name: string, disabled: boolean): Promise<string> => {
      const config = `[cdi]\nspecDirs = ["${folder}"]\ndisabled = ${disabled}\n`;
      await using daemon = await ground.daemon(name, { config });
      return (await daemon.buildctl(['debug', 'workers', '-v'])).stdout;
    };
    expect(await seen('with-devices', false)).to.include('acme.com/x=y');
    expect(await seen('without-devices', true)).not.to.include('acme.com/x=y');
  });

  it('say how many records of builds are kept, and how long', async () => {
    const config = '[history]\nmaxAge = 0\nmaxEntries = 1\n';
    const records = async (daemon: DaemonProcess): Promise<number> => {
      const { stdout } = await daemon.buildctl(['debug', 'histories', '--format', '{{json .}}\n']);
      return stdout.split('\n').filter((line) => line.includes('"record"')).length;
    };
    {
      await using daemon = await ground.daemon('history');
      for (const word of ['one', 'two', 'three']) await build(daemon, `echo ${word}`);
      expect(await records(daemon)).to.equal(3);
    }
    await using daemon = await ground.daemon('history', { config });
    expect(await records(daemon)).to.equal(1);
  });
});

const get = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => text(response).then(resolve, reject))
      .on('error', reject)
      .end();
  });
