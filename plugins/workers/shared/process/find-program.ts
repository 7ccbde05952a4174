import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { isErrno } from '../../../../core/util/linux/system-error.js';

/** The absolute path of a program, looked up as a shell would. */
export async function findProgram(
  name: string,
  searchPath = process.env.PATH ?? '',
): Promise<string | undefined> {
  const dirs = searchPath.split(':').filter((dir) => dir !== '');
  // Daemons are often started with a short PATH.
  const candidates = name.includes('/')
    ? [path.resolve(name)]
    : [...new Set([...dirs, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'])].map((dir) =>
        path.join(dir, name),
      );
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
    }
  }
  return undefined;
}
