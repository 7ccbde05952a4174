/** Process and thread attributes. Namespaces belong to threads: `unshare` in a worker thread leaves the rest alone. */
import { bind, check } from './libc.js';

const cUnshare = bind('int unshare(int flags)');
const cSetns = bind('int setns(int fd, int type)');
const cPrctl = bind(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
);
const cSethostname = bind('int sethostname(const char *name, size_t length)');
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

/** Enters the namespace behind an open `/proc/<pid>/ns/<name>`. */
export function setNamespace(fd: number, name: NamespaceName): void {
  check(cSetns(fd, namespaces[name]), `setns ${name}`);
}

/** Orphans of this process's descendants become its own children, so that it can wait for them. */
export function becomeSubreaper(): void {
  const PR_SET_CHILD_SUBREAPER = 36;
  check(cPrctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl PR_SET_CHILD_SUBREAPER');
}

/** The signal this process gets when the thread that started it dies. */
export function setParentDeathSignal(signal: number): void {
  const PR_SET_PDEATHSIG = 1;
  check(cPrctl(PR_SET_PDEATHSIG, signal, 0, 0, 0), 'prctl PR_SET_PDEATHSIG');
}

export function setHostname(name: string): void {
  check(cSethostname(name, Buffer.byteLength(name)), 'sethostname', name);
}

/** `process.umask` may not be set in worker threads; this may. The mask is the whole process's. Answers the old one. */
export const setUmask = (mask: number): number => Number(cUmask(mask));
