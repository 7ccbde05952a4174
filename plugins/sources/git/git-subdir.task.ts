import fs from 'node:fs';
import { join } from 'node:path';
import { notFound } from '../../../core/contracts/errors.js';
import type { ThreadTask } from '../../../core/contracts/threads.js';
import { closeDescriptor } from '../../../core/util/linux/descriptors.js';
import { openIn, resolveFlags } from '../../../core/util/linux/open-in.js';

/** Puts what is in a folder of a checkout in place of the checkout. */
export interface GitSubdirArgs {
  /** The whole checkout; it is removed. */
  readonly workTree: string;
  readonly subdir: string;
  readonly dest: string;
}

const gitSubdir: ThreadTask<GitSubdirArgs, void> = ({ workTree, subdir, dest }, context) => {
  using folder = openFolder(workTree, subdir);
  for (const name of fs.readdirSync(folder.path)) {
    context.throwIfAborted();
    fs.renameSync(join(folder.path, name), join(dest, name));
  }
  fs.rmSync(workTree, { recursive: true });
};
export default gitSubdir;

/** Links may lead anywhere in the checkout, and nowhere else: it is the repository's author who made them. */
function openFolder(workTree: string, subdir: string): Disposable & { readonly path: string } {
  const root = fs.openSync(workTree, fs.constants.O_DIRECTORY);
  try {
    const fd = openIn(root, subdir.replace(/^\/+/, ''), fs.constants.O_DIRECTORY, {
      resolve: resolveFlags.inRoot | resolveFlags.noMagicLinks,
    });
    return { path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeDescriptor(fd) };
  } catch (cause) {
    throw notFound('git.subdir', `failed to open subdir ${subdir}: ${(cause as Error).message}`, { cause });
  } finally {
    fs.closeSync(root);
  }
}
