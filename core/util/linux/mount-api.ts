/**
 * The file-descriptor mount API (Linux 5.2). Mounts are made without a place, and then attached; overlay takes one lower
 * directory per call here (`lowerdir+`, Linux 6.5), free of the one-page limit. The numbers of these calls are the same
 * on every architecture.
 */
import { AT_FDCWD, check, rawSyscall } from './libc.js';

const MOVE_MOUNT = 429;
const FSOPEN = 430;
const FSCONFIG = 431;
const FSMOUNT = 432;

const moveMountCall = rawSyscall(
  'int from, const char *fromPath, int to, const char *toPath, unsigned int flags',
);
const fsopenCall = rawSyscall('const char *name, unsigned int flags');
const fsconfigCall = rawSyscall('int fd, unsigned int command, const char *key, const char *value, int aux');
const fsmountCall = rawSyscall('int fd, unsigned int flags, unsigned int attributes');

export const mountAttributes = {
  rdonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
} as const;

const CLOEXEC = 1;

/** A descriptor of a file system being configured. The caller closes it. */
export const fsopen = (type: string): number => check(fsopenCall(FSOPEN, type, CLOEXEC), 'fsopen', type);

export function fsconfigString(fd: number, key: string, value: string): void {
  check(fsconfigCall(FSCONFIG, fd, 1, key, value, 0), `fsconfig ${key}`, value);
}
export function fsconfigFlag(fd: number, key: string): void {
  check(fsconfigCall(FSCONFIG, fd, 0, key, null, 0), `fsconfig ${key}`);
}
export function fsconfigCreate(fd: number): void {
  check(fsconfigCall(FSCONFIG, fd, 6, null, null, 0), 'fsconfig create');
}

/** A descriptor of a detached mount. The caller closes it. */
export const fsmount = (fd: number, attributes = 0): number =>
  check(fsmountCall(FSMOUNT, fd, CLOEXEC, attributes), 'fsmount');

/** Attaches a detached mount at `target`. */
export function moveMount(fd: number, target: string): void {
  const MOVE_MOUNT_F_EMPTY_PATH = 4;
  check(moveMountCall(MOVE_MOUNT, fd, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), 'move_mount', target);
}
