/** Process and thread attributes. Namespaces belong to threads: `unshare` in a worker thread leaves the rest alone. */
import { closeDescriptor } from './descriptors.js';
import { bind, check, rawSyscall } from './libc.js';

const cUnshare = bind('int unshare(int flags)');
const cUmask = bind('uint32 umask(uint32 mask)');

/** CLONE_* flags. A thread that wants its own mount namespace also needs its own `fs` (root, cwd, umask). */
export const namespaces = {
  fs: 0x200,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;
export type NamespaceName = keyof typeof namespaces;

export function unshare(...names: readonly NamespaceName[]): void {
  const flags = names.reduce((all, name) => all | namespaces[name], 0);
  check(cUnshare(flags), `unshare ${names.join(',')}`);
}

/** `process.umask` may not be set in worker threads; this may. The mask is the whole process's. Answers the old one. */
export const setUmask = (mask: number): number => Number(cUmask(mask));

const cSetns = bind('int setns(int fd, int kind)');

/** Moves the calling thread into the namespace of a descriptor. */
export function enterNamespace(fd: number): void {
  check(cSetns(fd, 0), 'setns');
}

const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
const pidfdOpen = rawSyscall('int pid, unsigned int flags');
const pidfdGetFd = rawSyscall('int pidfd, int fd, unsigned int flags');

/** A duplicate of another process' descriptor (Linux 5.6), nothing is opened for it. The caller closes it. */
export function descriptorOf(pid: number, fd: number): number {
  const pidfd = check(pidfdOpen(PIDFD_OPEN, pid, 0), 'pidfd_open');
  try {
    return check(pidfdGetFd(PIDFD_GETFD, pidfd, fd, 0), 'pidfd_getfd');
  } finally {
    closeDescriptor(pidfd);
  }
}
