/** renameat2(2): renames that rename(2) cannot express. */
import { AT_FDCWD, bind, check } from './libc.js';

const cRenameat2 = bind(
  'int renameat2(int fromDir, const char *from, int toDir, const char *to, unsigned int flags)',
);

/** Fails with EEXIST instead of replacing `to`. */
export function renameNoReplace(from: string, to: string): void {
  check(cRenameat2(AT_FDCWD, from, AT_FDCWD, to, 1), 'renameat2', from, to);
}

/** Swaps two existing paths in one step. */
export function renameExchange(a: string, b: string): void {
  check(cRenameat2(AT_FDCWD, a, AT_FDCWD, b, 2), 'renameat2', a, b);
}
