/** Does fuse-overlayfs work in a given folder, as this user? Tried out, as overlayfs itself is. */
import fs from 'node:fs';
import path from 'node:path';
import type { Mount } from '../../../../core/contracts/mount.js';
import { findProgram } from '../../../../core/util/find-program.js';
import { isWhiteout, makeWhiteout } from '../../../../core/util/linux/nodes.js';
import { setXattr } from '../../../../core/util/linux/xattr.js';
import { FuseChild } from '../container-host/fuse-child.js';
import { Child } from '../container-host/host-program.js';
import { FuseMount } from '../mounts/fuse-mount.js';
import { mayTrusted, type OverlaySettings } from './overlay-probe.js';

export type FuseProbe =
  | { readonly works: true; readonly opaqueName: OverlaySettings['opaqueName'] }
  | { readonly works: false; readonly why: string };

export const findFuseOverlayfs = (): Promise<string | undefined> => findProgram('fuse-overlayfs');

export async function probeFuse(dir: string): Promise<FuseProbe> {
  const program = await findFuseOverlayfs();
  if (program === undefined) return { works: false, why: 'fuse-overlayfs is not installed' };
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const home = fs.mkdtempSync(path.join(dir, 'probe-'));
  try {
    const opaqueName = mayTrusted(home) ? 'trusted.overlay.opaque' : 'user.overlay.opaque';
    await tryOut(program, home, opaqueName);
    return { works: true, opaqueName };
  } catch (error) {
    return { works: false, why: error instanceof Error ? error.message : String(error) };
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

/** That it reads what is written here into layers, and writes what is read here. */
async function tryOut(program: string, home: string, opaqueName: string): Promise<void> {
  const at = (...names: readonly string[]): string => path.join(home, ...names);
  for (const name of ['upper/opaque', 'lower/opaque/hidden', 'lower/dir', 'work', 'target'])
    fs.mkdirSync(at(name), { recursive: true });
  fs.writeFileSync(at('lower', 'gone'), '');
  makeWhiteout(at('upper', 'gone'));
  setXattr(at('upper', 'opaque'), opaqueName, Buffer.from('y'));
  const options = [`lowerdir=${at('lower')}`, `upperdir=${at('upper')}`, `workdir=${at('work')}`];
  await inMount(program, home, { type: 'overlay', source: 'overlay', options }, (inside) => {
    const names = [...fs.readdirSync(inside), ...fs.readdirSync(`${inside}/opaque`)].sort().join();
    if (names !== 'dir,opaque')
      throw new Error(`fuse-overlayfs does not know the marks of overlayfs: ${names}`);
    fs.rmdirSync(`${inside}/dir`);
  });
  if (!isWhiteout(fs.lstatSync(at('upper', 'dir')))) throw new Error('fuse-overlayfs made no whiteout');
}

/** The mount is one that only a descriptor leads to: whoever is killed leaves none behind. */
async function inMount(
  program: string,
  home: string,
  overlay: Mount,
  work: (inside: string) => void,
): Promise<void> {
  const target = path.join(home, 'target');
  const spawn = (...call: ConstructorParameters<typeof Child>): FuseChild =>
    new FuseChild(new Child(...call));
  const mounted = new FuseMount(program, overlay, { target, log: path.join(home, 'log') }, spawn);
  try {
    const tree = fs.openSync(target, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      mounted.detach();
      work(`/proc/self/fd/${tree}`);
    } finally {
      fs.closeSync(tree);
    }
  } finally {
    await mounted.release();
  }
}
