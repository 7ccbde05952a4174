/**
 * The file-descriptor mount API (Linux 5.2; mount_setattr 5.12). Mounts can be made without a place, changed, and
 * then attached; overlay takes one lower directory per call here (`lowerdir+`, Linux 6.5), free of the one-page limit.
 * The numbers of these calls are the same on every architecture.
 */
import { AT_EMPTY_PATH, AT_FDCWD, check, rawSyscall } from './libc.js';

const OPEN_TREE = 428;
const MOVE_MOUNT = 429;
const FSOPEN = 430;
const FSCONFIG = 431;
const FSMOUNT = 432;
const MOUNT_SETATTR = 442;

const openTreeCall = rawSyscall('int dir, const char *path, unsigned int flags');
const moveMountCall = rawSyscall(
  'int from, const char *fromPath, int to, const char *toPath, unsigned int flags',
);
const fsopenCall = rawSyscall('const char *name, unsigned int flags');
const fsconfigCall = rawSyscall('int fd, unsigned int command, const char *key, const char *value, int aux');
const fsmountCall = rawSyscall('int fd, unsigned int flags, unsigned int attributes');
const mountSetattrCall = rawSyscall(
  'int dir, const char *path, unsigned int flags, const void *attributes, size_t size',
);

export const mountAttributes = {
  rdonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  idmap: 0x100000,
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

/** A detached copy of the mount at `path`; `recursive` takes along what is mounted below. */
export function openTree(path: string, options: { readonly recursive?: boolean } = {}): number {
  const OPEN_TREE_CLONE = 1;
  const OPEN_TREE_CLOEXEC = 0x80000;
  const AT_RECURSIVE = 0x8000;
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (options.recursive ? AT_RECURSIVE : 0);
  return check(openTreeCall(OPEN_TREE, AT_FDCWD, path, flags), 'open_tree', path);
}

/** Attaches a detached mount at `target`. */
export function moveMount(fd: number, target: string): void {
  const MOVE_MOUNT_F_EMPTY_PATH = 4;
  check(moveMountCall(MOVE_MOUNT, fd, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), 'move_mount', target);
}

export interface MountAttributeChange {
  readonly set?: number;
  readonly clear?: number;
  /** User namespace whose mapping the mount gets, with `mountAttributes.idmap`. */
  readonly userNamespaceFd?: number;
  readonly recursive?: boolean;
}

export function setMountAttributes(fd: number, change: MountAttributeChange): void {
  const AT_RECURSIVE = 0x8000;
  const attributes = new BigUint64Array([
    BigInt(change.set ?? 0),
    BigInt(change.clear ?? 0),
    0n,
    BigInt(change.userNamespaceFd ?? 0),
  ]);
  const flags = AT_EMPTY_PATH | (change.recursive ? AT_RECURSIVE : 0);
  check(mountSetattrCall(MOUNT_SETATTR, fd, '', flags, attributes, attributes.byteLength), 'mount_setattr');
}
