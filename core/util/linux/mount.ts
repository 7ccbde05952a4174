/** mount(2) and umount2(2). */
import { bind, check } from './libc.js';

/** Flag words of mount(2), under the names mount(8) gives them. */
export const mountFlags = {
  ro: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  sync: 0x10,
  remount: 0x20,
  dirsync: 0x80,
  noatime: 0x400,
  nodiratime: 0x800,
  bind: 0x1000,
  move: 0x2000,
  rbind: 0x5000,
  rec: 0x4000,
  silent: 0x8000,
  unbindable: 0x20000,
  runbindable: 0x24000,
  private: 0x40000,
  rprivate: 0x44000,
  slave: 0x80000,
  rslave: 0x84000,
  shared: 0x100000,
  rshared: 0x104000,
  relatime: 0x200000,
  strictatime: 0x1000000,
  lazytime: 0x2000000,
} as const;
export type MountFlag = keyof typeof mountFlags;

/** Options that clear a flag instead of setting one. */
const clearing: Readonly<Record<string, number>> = {
  rw: mountFlags.ro,
  suid: mountFlags.nosuid,
  dev: mountFlags.nodev,
  exec: mountFlags.noexec,
  async: mountFlags.sync,
  atime: mountFlags.noatime,
  diratime: mountFlags.nodiratime,
};

/** Sorts an option list, as fstab and OCI write it, into the flag word and the file system's own data string. */
export function parseMountOptions(options: readonly string[]): {
  readonly flags: number;
  readonly data: string;
} {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    if (Object.hasOwn(mountFlags, option)) flags |= mountFlags[option as MountFlag];
    else if (Object.hasOwn(clearing, option)) flags &= ~clearing[option]!;
    else if (option !== '' && option !== 'defaults') data.push(option);
  }
  return { flags, data: data.join(',') };
}

/** The kernel copies one page of options; the last byte is its terminator. */
export const MAX_MOUNT_DATA = 4095;

const cMount = bind(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const cUmount2 = bind('int umount2(const char *target, int flags)');

export function mount(source: string, target: string, type: string, flags: number, data = ''): void {
  check(cMount(source, target, type, flags, data === '' ? null : data), 'mount', source, target);
}

/** `detach` takes the mount out of the tree now and lets its last user finish it. */
export function unmount(target: string, options: { readonly detach?: boolean } = {}): void {
  const MNT_DETACH = 2;
  const UMOUNT_NOFOLLOW = 8;
  check(cUmount2(target, (options.detach ? MNT_DETACH : 0) | UMOUNT_NOFOLLOW), 'umount', target);
}
