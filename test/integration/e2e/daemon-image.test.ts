/** The Dockerfile of the daemon's image, built by the daemon and started in a container. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import { ownCapabilities } from '../support/capabilities.js';
import type { DaemonProcess } from '../support/daemon.js';
import { buildDaemonImage } from '../support/daemon-image.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { programs, run, start, succeed } from '../support/processes.js';

const because = 'the image has this worker only';

onWorker('oci', because, 'the image of the daemon', () => {
  let ground: Ground;
  let daemon: DaemonProcess;
  before(async () => {
    ground = await Ground.open('image');
    daemon = await ground.daemon('builder');
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  it('is built by the daemon, starts in a container, and builds over its port', async () => {
    const bundle = ground.path('bundle');
    await buildDaemonImage(ground, daemon, `type=local,dest=${join(bundle, 'rootfs')}`);

    const home = ground.path('home');
    await mkdir(home);
    await mkdir(ground.path('state'));
    await writeSpec(bundle, [
      ['/run/buildkit', home],
      ['/var/lib/buildkit', ground.path('state')],
    ]);
    const id = `buildkitd-image-${process.pid}`;
    const container = start('runc', ['run', '--bundle', bundle, id]);
    let log = '';
    for (const stream of [container.stdout!, container.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    const ended = new Promise<number | null>((resolve) => container.once('close', resolve));
    try {
      const port = /running server on (tcp:\/\/[^\s"]+)/;
      while (!port.test(log) && container.exitCode === null) await sleep(50);
      expect(container.exitCode, log).to.equal(null);
      const [, address = ''] = port.exec(log) ?? [];
      const health = await run('runc', ['exec', id, 'buildctl', 'debug', 'workers']);
      expect(health.stdout, health.stderr + log).to.match(/linux\/amd64|linux\/arm64/);
      const flags = [
        '--env',
        'BUILDKITD_FLAGS=--root /tmp/own',
        id,
        'buildctl-daemonless.sh',
        'debug',
        'workers',
      ];
      const own = await run('runc', ['exec', ...flags]);
      expect(own.stdout, own.stderr).to.match(/linux\/amd64|linux\/arm64/);
      const folder = await ground.write('inner', {
        Dockerfile: `FROM ${ground.base} AS b\nRUN echo built inside > /f\nFROM scratch\nCOPY --from=b /f /\n`,
      });
      const inner = await run(programs.buildctl, [
        ...['--addr', address, ...buildArgs({ folder, outputs: [`type=local,dest=${ground.path('out')}`] })],
      ]);
      expect(inner.code, inner.stderr + log).to.equal(0);
      expect((await run('cat', [ground.path('out/f')])).stdout).to.equal('built inside\n');
      await succeed('runc', ['kill', id, 'TERM']);
      expect(await ended, log).to.equal(0);
    } finally {
      await run('runc', ['delete', '--force', id]);
    }
  });

  it('has a form for an ordinary user', async () => {
    const archive = ground.path('rootless.tar');
    await buildDaemonImage(ground, daemon, `type=oci,dest=${archive},compression=uncompressed`, 'rootless');
    const { stdout } = await succeed('skopeo', ['inspect', '--config', `oci-archive:${archive}`]);
    const { User, Entrypoint, Env, Volumes } = JSON.parse(stdout).config;
    expect({ User, Entrypoint, Volumes }).to.deep.equal({
      User: '1000:1000',
      Entrypoint: ['rootlesskit', 'buildkitd'],
      Volumes: { '/home/user/.local/share/buildkit': {} },
    });
    expect(Env).to.include('XDG_RUNTIME_DIR=/run/user/1000');
  });
});

/** A privileged container on the host's network, as `docker run --privileged --network host` makes them. */
async function writeSpec(
  bundle: string,
  binds: readonly (readonly [target: string, source: string])[],
): Promise<void> {
  await succeed('runc', ['spec', '--bundle', bundle]);
  const spec = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8'));
  const capabilities = await ownCapabilities();
  spec.process.terminal = false;
  const socket = 'unix:///run/buildkit/buildkitd.sock';
  spec.process.args = ['buildkitd', '--addr', socket, '--addr', 'tcp://127.0.0.1:0'];
  spec.process.env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  for (const set of ['bounding', 'effective', 'permitted']) spec.process.capabilities[set] = capabilities;
  spec.root.readonly = false;
  spec.linux.maskedPaths = [];
  spec.linux.readonlyPaths = [];
  spec.linux.resources = { devices: [{ allow: true, access: 'rwm' }] };
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) => type !== 'network');
  spec.mounts = spec.mounts.map((mount: { destination: string; options?: string[] }) =>
    mount.destination.startsWith('/sys')
      ? { ...mount, options: mount.options?.filter((option) => option !== 'ro') }
      : mount,
  );
  for (const [destination, source] of binds)
    spec.mounts.push({ destination, source, type: 'bind', options: ['rbind', 'rw'] });
  await writeFile(join(bundle, 'config.json'), JSON.stringify(spec));
}
