/** An image with this machine's node in it, built and pushed by a daemon. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DaemonProcess } from './daemon.js';
import type { Ground } from './ground.js';

/** Answers its name. */
export async function pushNode(ground: Ground, daemon: DaemonProcess): Promise<string> {
  const context = ground.path('node-context');
  for (const file of [process.execPath, ...librariesOf(process.execPath)]) {
    const target = join(context, file === process.execPath ? '/bin/node' : file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target, { dereference: true });
  }
  const folder = await ground.write('node', { Dockerfile: `FROM ${ground.base}\nCOPY . /\n` });
  const name = `${ground.registry.address}/node:1`;
  const output = `type=image,name=${name},push=true,compression=uncompressed`;
  const locals = ['--local', `context=${context}`, '--local', `dockerfile=${folder}`];
  const built = await daemon.buildctl([
    'build',
    '--frontend',
    'dockerfile.v0',
    ...locals,
    '--output',
    output,
  ]);
  if (built.code !== 0) throw new Error(`the image with node in it could not be built:\n${built.stderr}`);
  return name;
}

const librariesOf = (program: string): string[] =>
  execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? [];
