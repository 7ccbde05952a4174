/** Advisory locks that the kernel drops when their process dies. */
import fs from 'node:fs';
import { bind, check } from './libc.js';
import { isErrno } from './system-error.js';

const cFlock = bind('int flock(int fd, int operation)');
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes the lock on `path` without waiting, making the file if needed. undefined when somebody else has it.
 * Disposing gives it back; the file stays.
 */
export function tryLock(path: string, options: { readonly shared?: boolean } = {}): Disposable | undefined {
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  try {
    check(cFlock(fd, (options.shared ? LOCK_SH : LOCK_EX) | LOCK_NB), 'flock', path);
  } catch (error) {
    fs.closeSync(fd);
    if (isErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return undefined;
    throw error;
  }
  let held = true;
  return {
    [Symbol.dispose]() {
      if (held) fs.closeSync(fd);
      held = false;
    },
  };
}
