import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { isErrno } from './linux/system-error.js';

/** Daemons are often started with a short PATH, and that of a user can lack what is for root. */
const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/bin'];

/** The absolute path of a program, looked up as a shell would, and in `further` folders. */
export async function findProgram(
  name: string,
  searchPath = process.env.PATH ?? '',
  further: readonly string[] = usual,
): Promise<string | undefined> {
  const dirs = searchPath.split(':').filter((dir) => dir !== '');
  const candidates = name.includes('/')
    ? [path.resolve(name)]
    : [...new Set([...dirs, ...further])].map((dir) => path.join(dir, name));
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
