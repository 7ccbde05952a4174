/** Times to the nanosecond; Node's own calls go through a double of seconds and lose them. */
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, bind, check } from './libc.js';

const cUtimensat = bind('int utimensat(int dir, const char *path, const void *times, int flags)');
const cFutimens = bind('int futimens(int fd, const void *times)');

const UTIME_OMIT = (1n << 30n) - 2n;
const SECOND = 1_000_000_000n;
/** Two timespecs: access, modification. */
const times = new BigInt64Array(4);

function fill(at: 0 | 2, time: bigint | undefined): void {
  if (time === undefined) {
    times[at] = 0n;
    times[at + 1] = UTIME_OMIT;
    return;
  }
  const nanos = ((time % SECOND) + SECOND) % SECOND;
  times[at] = (time - nanos) / SECOND;
  times[at + 1] = nanos;
}

/** Sets times of the path itself, in nanoseconds since the epoch; undefined leaves a time as it is. */
export function setTimes(path: string, atime: bigint | undefined, mtime: bigint | undefined): void {
  fill(0, atime);
  fill(2, mtime);
  check(cUtimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}

export function setFdTimes(fd: number, atime: bigint | undefined, mtime: bigint | undefined): void {
  fill(0, atime);
  fill(2, mtime);
  check(cFutimens(fd, times), 'futimens');
}
