/** Copying file data inside the kernel, sharing extents where the file system can. */
import fs from 'node:fs';
import { bind, check } from './libc.js';
import { isErrno } from './system-error.js';

const cCopyFileRange = bind(
  'int64 copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t length, unsigned int flags)',
);
const cIoctl = bind('int ioctl(int fd, unsigned long request, int64 argument)');

const FICLONE = 0x40049409;

/** Makes `to` share all extents of `from`. False where the file system cannot (or the two differ). */
export function cloneFile(from: number, to: number): boolean {
  try {
    check(cIoctl(to, FICLONE, from), 'ioctl FICLONE');
    return true;
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EPERM', 'EBADF'))
      return false;
    throw error;
  }
}

/** Copies at most `length` bytes from one descriptor's position to the other's; 0 at the end of the file. */
export function copyFileRange(from: number, to: number, length: number): number {
  return check(cCopyFileRange(from, null, to, null, length, 0), 'copy_file_range');
}

const CHUNK = 1 << 30;

/**
 * Copies the rest of `from` into `to`: clone, else copy_file_range, else read and write. `size` is a hint: what
 * follows it is copied too.
 */
export function copyData(from: number, to: number, size: number): void {
  if (size > 0 && cloneFile(from, to)) return;
  try {
    let copied = 0;
    for (;;) {
      const moved = copyFileRange(from, to, CHUNK);
      copied += moved;
      if (moved > 0) continue;
      // Files of procfs and the like claim to be empty to copy_file_range; reading tells the truth.
      if (copied === 0) break;
      return;
    }
  } catch (error) {
    if (!isErrno(error, 'EXDEV', 'EINVAL', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EBADF')) throw error;
  }
  copyByReading(from, to);
}

function copyByReading(from: number, to: number): void {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (let read = fs.readSync(from, buffer); read > 0; read = fs.readSync(from, buffer)) {
    for (let written = 0; written < read; ) written += fs.writeSync(to, buffer, written, read - written);
  }
}
