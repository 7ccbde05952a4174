/** The flags of the mount that a path lies on. */
import { bind, check } from './libc.js';

const cStatvfs = bind('int statvfs(const char *path, void *result)');

/** struct statvfs on 64-bit machines, glibc and musl alike: nine words, then the flags. */
const FLAGS_AT = 72;
const SIZE = 112;

/** ST_* of sys/statvfs.h, under the names of mount(8). Order as in a list that people write. */
const names: readonly (readonly [bit: number, name: string])[] = [
  [0x1, 'ro'],
  [0x2, 'nosuid'],
  [0x4, 'nodev'],
  [0x8, 'noexec'],
  [0x400, 'noatime'],
  [0x800, 'nodiratime'],
  [0x1000, 'relatime'],
];

/** As options: `nosuid`, `nodev`, `relatime`, … */
export function mountFlagsAt(path: string): readonly string[] {
  const result = Buffer.alloc(SIZE);
  check(cStatvfs(path, result), 'statvfs', path);
  const flags = Number(result.readBigUInt64LE(FLAGS_AT));
  return names.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}
