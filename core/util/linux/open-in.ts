/** openat2(2), Linux 5.6: opening a path without ever leaving a tree, whatever links are in the way. */
import { check, rawSyscall } from './libc.js';

const OPENAT2 = 437;
const openat2 = rawSyscall('int dir, const char *path, const void *how, size_t size');

export const resolveFlags = {
  /** Do not cross mount points. */
  noXdev: 0x1,
  noMagicLinks: 0x2,
  noSymlinks: 0x4,
  /** Fail when the path would leave the directory. */
  beneath: 0x8,
  /** Take the directory as the root: absolute links and `..` stay inside. */
  inRoot: 0x10,
} as const;

/** Opens `path` below the directory `dir` (a descriptor). The caller closes the result. */
export function openIn(
  dir: number,
  path: string,
  flags: number,
  options: { readonly mode?: number; readonly resolve: number },
): number {
  const O_CLOEXEC = 0o2000000;
  const how = new BigUint64Array([
    BigInt(flags | O_CLOEXEC),
    BigInt(options.mode ?? 0),
    BigInt(options.resolve),
  ]);
  return check(openat2(OPENAT2, dir, path, how, how.byteLength), 'openat2', path);
}
