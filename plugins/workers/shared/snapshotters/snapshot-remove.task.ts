import fs from 'node:fs';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';

export interface RemoveArgs {
  readonly paths: readonly string[];
}

/**
 * Removes whole trees. Names are handled as bytes, for not all are UTF-8, and directories without permissions are
 * opened up first: a build may have made either.
 */
export default function removeTrees({ paths }: RemoveArgs, _context: ThreadContext): void {
  for (const path of paths) {
    try {
      removeDirectory(Buffer.from(path));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
}

const slash = Buffer.from('/');

function removeDirectory(dir: Buffer): void {
  for (const entry of list(dir)) {
    const at = Buffer.concat([dir, slash, entry.name]);
    if (entry.isDirectory()) removeDirectory(at);
    else fs.unlinkSync(at);
  }
  fs.rmdirSync(dir);
}

type ByteEntry = Omit<fs.Dirent, 'name'> & { readonly name: Buffer };

function list(dir: Buffer): readonly ByteEntry[] {
  try {
    fs.accessSync(dir, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error;
    fs.chmodSync(dir, 0o700);
  }
  return fs.readdirSync(dir, { withFileTypes: true, encoding: 'buffer' }) as unknown as readonly ByteEntry[];
}
