/**
 * Removes what a build may have made: names that are no UTF-8, directories without permissions, and trees deeper than
 * any path can say. Nobody else may write into the tree meanwhile.
 *
 * A directory whose path is getting long is renamed to the top first, so neither paths nor the stack grow with the depth.
 */
import fs from 'node:fs';
import { newId } from '../identity.js';
import { isErrno } from '../linux/system-error.js';

/** Bytes; a path of the kernel has 4096, and a name 255. */
const LONG = 2048;
const slash = Buffer.from('/');

/** Removing what is not there is nothing. */
export function removeTree(path: string): void {
  try {
    if (fs.lstatSync(path).isDirectory()) removeDirectory(Buffer.from(path));
    else fs.unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function removeDirectory(top: Buffer): void {
  const open = [{ dir: top, listed: false }];
  for (let at = open.at(-1); at; at = open.at(-1)) {
    if (at.listed) {
      fs.rmdirSync(at.dir);
      open.pop();
      continue;
    }
    at.listed = true;
    for (const entry of list(at.dir)) {
      const path = Buffer.concat([at.dir, slash, entry.name]);
      if (entry.isDirectory()) open.push({ dir: nearTop(path, top), listed: false });
      else fs.unlinkSync(path);
    }
  }
}

function nearTop(dir: Buffer, top: Buffer): Buffer {
  if (dir.length - top.length < LONG) return dir;
  const near = Buffer.concat([top, Buffer.from(`/.gone.${newId()}`)]);
  // A directory can only be moved by who may write into it: its `..` changes.
  fs.chmodSync(dir, 0o700);
  fs.renameSync(dir, near);
  return near;
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
