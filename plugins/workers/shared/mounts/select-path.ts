/** Picks a path inside a tree that others may be writing, and holds on to what was found. */
import fs from 'node:fs';
import { notFound } from '../../../../core/contracts/errors.js';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { mount, mountFlags, unmount } from '../../../../core/util/linux/mount.js';
import { openIn, resolveFlags } from '../../../../core/util/linux/open-in.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { components } from './resolve-in-root.js';

const O_PATH = 0o10000000;

/**
 * Binds `selector` of the tree `root` to `target`, which is made. Links are followed inside the tree and cannot lead
 * out of it, and swapping one afterwards changes nothing: the bind is made from the descriptor.
 */
export function selectPath(root: string, selector: string, target: string): Disposable {
  const dir = fs.openSync(root, O_PATH | fs.constants.O_DIRECTORY);
  try {
    const fd = openSelected(dir, selector);
    try {
      const isDirectory = fs.fstatSync(fd).isDirectory();
      if (isDirectory) fs.mkdirSync(target);
      else fs.writeFileSync(target, '');
      mount(`/proc/self/fd/${fd}`, target, '', mountFlags.bind | mountFlags.rec);
    } finally {
      closeDescriptor(fd);
    }
  } finally {
    fs.closeSync(dir);
  }
  return {
    [Symbol.dispose]() {
      unmount(target, { detach: true });
    },
  };
}

/** True for a selector that means the whole tree. */
export const selectsAll = (selector: string): boolean => components(selector).every((name) => name === '..');

function openSelected(dir: number, selector: string): number {
  const path = components(selector).join('/');
  try {
    return openIn(dir, path, O_PATH, { resolve: resolveFlags.inRoot | resolveFlags.noMagicLinks });
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    // BuildKit's text: the os.PathError of opening the selector.
    throw notFound('exec.selector', `open ${selector}: no such file or directory`, { cause: error });
  }
}
