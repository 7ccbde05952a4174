/**
 * The Dockerfile of the daemon's image, built by the daemon: what needs a network in it (Debian packages, npm) is put in
 * its place from this machine, as named contexts.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildArgs } from './build.js';
import type { DaemonProcess } from './daemon.js';
import type { Ground } from './ground.js';
import { programs, succeed } from './processes.js';

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

/** `output` as for `buildctl build --output`; without a target, it is the image of root. */
export async function buildDaemonImage(
  ground: Ground,
  daemon: DaemonProcess,
  output: string,
  target = '',
): Promise<void> {
  const [runtime, build] = [ground.path('runtime'), ground.path('build')];
  if (!existsSync(build)) {
    await writeRuntime(runtime);
    await writeBuild(build);
  }
  const base = await ground.write('base', { Dockerfile: `FROM ${ground.base}\nCOPY --from=files . /\n` });
  const image = `${ground.registry.address}/runtime:1`;
  await succeed(programs.buildctl, [
    ...['--addr', daemon.address],
    ...buildArgs({
      folder: base,
      outputs: [`type=image,name=${image},push=true,compression=uncompressed`],
    }),
    ...['--local', `files=${runtime}`, '--opt', 'context:files=local:files'],
  ]);
  await succeed(programs.buildctl, [
    ...['--addr', daemon.address, 'build', '--frontend=dockerfile.v0', '--progress=plain'],
    ...['--local', `context=${root}`, '--local', `dockerfile=${root}`, '--local', `build=${build}`],
    ...['--opt', `target=${target}`, '--opt', 'context:build=local:build'],
    ...['runtime', 'rootless-runtime'].flatMap((name) => [
      '--opt',
      `context:${name}=docker-image://${image}`,
    ]),
    ...['--opt', 'build-arg:NODE=scratch', '--opt', 'build-arg:BASE=scratch'],
    ...['--output', output],
  ]);
}
