/**
 * The Dockerfile of the daemon's image, built by the daemon: what needs a network in it (Debian packages, npm) is put in
 * its place from this machine, as named contexts.
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { programs, run, start, succeed } from '../support/processes.js';

const because = 'the image has this worker only';

const root = join(import.meta.dirname, '../../..');

const librariesOf = (program: string): string[] =>
  execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? [];

/** Programs with the libraries they need, as `runtime` has them. */
async function writeRuntime(folder: string): Promise<void> {
  const crun = execFileSync('which', ['crun'], { encoding: 'utf8' }).trim();
  const files = new Map([
    ['/usr/local/bin/node', process.execPath],
    ['/usr/bin/crun', crun],
    ...[process.execPath, crun].flatMap(librariesOf).map((file): [string, string] => [file, file]),
  ]);
  for (const [target, file] of files) {
    await mkdir(dirname(join(folder, target)), { recursive: true });
    await cp(file, join(folder, target), { dereference: true });
  }
}

/** What `build` leaves: the bundles, and the packages that they need at run time. */
async function writeBuild(folder: string): Promise<void> {
  const packages = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const path of packages.split('\n').filter((line) => line.startsWith(`${root}/node_modules/`)))
    await cp(path, join(folder, 'src', path.slice(root.length)), { recursive: true });
  await cp(dirname(programs.buildkitd), join(folder, 'src/dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'src/package.json'));
}

onWorker('oci', because, 'the image of the daemon', () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open('image');
  });
  after(() => ground[Symbol.asyncDispose]());

  it('is built by the daemon, starts in a container, and builds over its port', async () => {
    const [runtime, build, bundle] = [ground.path('runtime'), ground.path('build'), ground.path('bundle')];
    await writeRuntime(runtime);
    await writeBuild(build);
    const rootfs = join(bundle, 'rootfs');
    const base = await ground.write('base', { Dockerfile: `FROM ${ground.base}\nCOPY --from=files . /\n` });
    await using daemon = await ground.daemon('builder');
    const image = `${ground.registry.address}/runtime:1`;
    const made = await daemon.buildctl([
      ...buildArgs({
        folder: base,
        outputs: [`type=image,name=${image},push=true,compression=uncompressed`],
      }),
      ...['--local', `files=${runtime}`, '--opt', 'context:files=local:files'],
    ]);
    expect(made.code, made.stderr).to.equal(0);
    const built = await daemon.buildctl([
      ...['build', '--frontend=dockerfile.v0', '--progress=plain'],
      ...['--local', `context=${root}`, '--local', `dockerfile=${root}`, '--local', `build=${build}`],
      ...['--opt', `context:runtime=docker-image://${image}`, '--opt', 'context:build=local:build'],
      ...['--opt', 'build-arg:NODE=scratch', '--opt', 'build-arg:BASE=scratch'],
      ...['--output', `type=local,dest=${rootfs}`],
    ]);
    expect(built.code, built.stderr).to.equal(0);

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

/** What this process may do: a container can have no more. */
async function ownCapabilities(): Promise<readonly string[]> {
  const [, hex = '0'] = /^CapEff:\s*(\w+)/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  const bits = BigInt(`0x${hex}`);
  return allCapabilities.filter((_, index) => ((bits >> BigInt(index)) & 1n) === 1n);
}

/** Of capabilities(7), in the order of their numbers. */
const allCapabilities = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);
