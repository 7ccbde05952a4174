/** Device nodes and pipes, and the packing of device numbers. */
import { constants } from 'node:fs';
import { bind, check } from './libc.js';

const cMknod = bind('int mknod(const char *path, uint32 mode, uint64 device)');

/** glibc: gnu_dev_makedev. Major and minor are 32 bits each, interleaved. */
export function makeDevice(major: number, minor: number): bigint {
  const big = BigInt(major);
  const small = BigInt(minor);
  return (
    ((big & 0xfffff000n) << 32n) | ((big & 0xfffn) << 8n) | ((small & 0xffffff00n) << 12n) | (small & 0xffn)
  );
}
export const deviceMajor = (device: bigint): number =>
  Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn));
export const deviceMinor = (device: bigint): number =>
  Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn));

/** `mode` holds the type bits (`S_IFCHR`, `S_IFBLK`, `S_IFIFO`, `S_IFSOCK`) and permissions, cut by the umask. */
export function mknod(path: string, mode: number, device = 0n): void {
  check(cMknod(path, mode, device), 'mknod', path);
}

export const mkfifo = (path: string, mode: number): void => mknod(path, constants.S_IFIFO | (mode & 0o7777));

/** overlayfs' sign for "gone": a character device 0/0. */
export const makeWhiteout = (path: string): void => mknod(path, constants.S_IFCHR, 0n);

export const isWhiteout = (stat: {
  readonly mode: number | bigint;
  readonly rdev: number | bigint;
}): boolean => (Number(stat.mode) & constants.S_IFMT) === constants.S_IFCHR && Number(stat.rdev) === 0;
