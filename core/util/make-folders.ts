import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from './linux/system-error.js';

/**
 * `mkdir -p`. Node's own goes round for ever where a folder cannot be made although the one above is there, as in
 * /proc or in a folder that was removed meanwhile.
 */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (isErrno(error, 'EEXIST') && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    if (!isErrno(error, 'ENOENT') || above === path) throw error;
    await makeFolders(above, mode);
    await makeOne(path, mode);
  }
}

/** Somebody else may have made it by now. */
async function makeOne(path: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (isErrno(error, 'EEXIST') && (await stat(path)).isDirectory()) return;
    throw error;
  }
}
