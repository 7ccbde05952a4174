/** Does overlayfs work in a given folder, as this user, on this kernel? Tried out, not derived from versions. */
import { closeSync, constants, openSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { mount, unmount } from '../../../../core/util/linux/mount.js';
import { isWhiteout } from '../../../../core/util/linux/nodes.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { removeXattr, setXattr } from '../../../../core/util/linux/xattr.js';

export type OverlayProbe =
  | { readonly works: true; readonly settings: OverlaySettings }
  | { readonly works: false; readonly why: string };

export interface OverlaySettings {
  /** Mount options besides the directories. */
  readonly options: readonly string[];
  readonly opaqueName: 'trusted.overlay.opaque' | 'user.overlay.opaque';
}

export async function probeOverlay(dir: string): Promise<OverlayProbe> {
  await fs.mkdir(dir, { recursive: true, mode: 0o700 });
  const home = await fs.mkdtemp(path.join(dir, 'probe-'));
  try {
    const settings = await settingsFor(home);
    await tryOut(home, settings);
    return { works: true, settings };
  } catch (error) {
    return { works: false, why: error instanceof Error ? error.message : String(error) };
  } finally {
    await fs.rm(home, { recursive: true, force: true });
  }
}

/**
 * `trusted.*` attributes belong to the real root; in a user namespace overlayfs keeps its marks in `user.*`.
 * What some kernels switch on by default and layers cannot carry is switched off: renames of directories and
 * metadata-only copies leave layers that mean nothing without the layer they were made on.
 */
async function settingsFor(home: string): Promise<OverlaySettings> {
  const trusted = mayTrusted(home);
  const options: string[] = [];
  if (await parameter('index')) options.push('index=off');
  if (!trusted) return { options: [...options, 'userxattr'], opaqueName: 'user.overlay.opaque' };
  if (await parameter('redirect_dir', 'Y')) options.push('redirect_dir=off');
  if (await parameter('metacopy', 'Y')) options.push('metacopy=off');
  return { options, opaqueName: 'trusted.overlay.opaque' };
}

export function mayTrusted(dir: string): boolean {
  try {
    setXattr(dir, 'trusted.overlay.probe', Buffer.from('y'));
    removeXattr(dir, 'trusted.overlay.probe');
    return true;
  } catch (error) {
    if (isErrno(error, 'EPERM', 'EACCES')) return false;
    throw error;
  }
}

/** Whether the module knows the parameter (and has it at `value`). */
async function parameter(name: string, value?: string): Promise<boolean> {
  try {
    const text = await fs.readFile(`/sys/module/overlay/parameters/${name}`, 'utf8');
    return value === undefined || text.trim() === value;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return false;
    throw error;
  }
}

/** Mounts, changes and removes; a file system without d_type or attributes fails somewhere on this way. */
async function tryOut(home: string, settings: OverlaySettings): Promise<void> {
  const at = (...names: readonly string[]): string => path.join(home, ...names);
  await Promise.all(['l1', 'l2', 'u', 'w', 'm'].map((name) => fs.mkdir(at(name))));
  await fs.mkdir(at('l2', 'dir'));
  await fs.writeFile(at('l2', 'dir', 'file'), '');
  const dirs = [`lowerdir=${at('l1')}:${at('l2')}`, `upperdir=${at('u')}`, `workdir=${at('w')}`];
  const tree = mountDetached(at('m'), [...settings.options, ...dirs]);
  const inside = (name: string): string => `/proc/self/fd/${tree}/${name}`;
  try {
    await fs.rm(inside('dir'), { recursive: true });
    await fs.mkdir(inside('dir'));
    await fs.writeFile(inside('new'), '');
    await fs.rm(inside('dir'), { recursive: true });
  } finally {
    closeSync(tree);
  }
  if (!isWhiteout(await fs.lstat(at('u', 'dir')))) throw new Error('the kernel made no whiteout');
  const unknown = (await fs.readdir(at('u'), { withFileTypes: true })).some(
    (entry) => !entry.isFile() && !entry.isCharacterDevice(),
  );
  if (unknown) throw new Error('the file system does not report file types in directory listings (d_type)');
}

/** A mount that only this descriptor leads to: whoever is killed leaves none behind. */
function mountDetached(target: string, options: readonly string[]): number {
  mountProbe(target, options);
  try {
    return openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
  } finally {
    unmount(target, { detach: true });
  }
}

/** Unmounting writes everything back to the disk, unless the mount is volatile; Linux knows that since 5.10. */
function mountProbe(target: string, options: readonly string[]): void {
  try {
    mount('overlay', target, 'overlay', 0, [...options, 'volatile'].join(','));
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    mount('overlay', target, 'overlay', 0, options.join(','));
  }
}
