/**
 * Starting programs with posix_spawn(3). Node forks, and forking copies the page tables: 1 ms in a small process,
 * 10 ms at 300 MB, with the whole process stopped. posix_spawn shares memory until exec: 0.1 ms at any size.
 *
 * The child inherits the calling thread's namespaces and working directory, nothing of its descriptors but the three
 * given, and default signal handling. It leads a process group of its own, so that a terminal's Ctrl-C does not reach
 * it. Whoever starts it waits for it: {@link reap}.
 */
import { bind, check } from './libc.js';
import { SystemError } from './system-error.js';

const cSpawn = bind(
  'int posix_spawn(void *pid, const char *path, const void *actions, const void *attributes, const char **argv, const char **envp)',
);
const cActionsInit = bind('int posix_spawn_file_actions_init(void *actions)');
const cActionsDup = bind('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)');
const cActionsDestroy = bind('int posix_spawn_file_actions_destroy(void *actions)');
const cAttributesInit = bind('int posix_spawnattr_init(void *attributes)');
const cSetFlags = bind('int posix_spawnattr_setflags(void *attributes, short flags)');
const cSetDefault = bind('int posix_spawnattr_setsigdefault(void *attributes, const void *set)');
const cSetMask = bind('int posix_spawnattr_setsigmask(void *attributes, const void *set)');
const cPipe = bind('int pipe2(void *fds, int flags)');
const cWait = bind('int waitpid(int pid, void *status, int flags)');
const cChdir = bind('int chdir(const char *path)');

/** Larger than either structure on any libc (glibc: 80 and 336 bytes). */
const STRUCTURE_BYTES = 512;
const SIGSET_BYTES = 128;
const SETPGROUP = 0x02;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;

let attributes: Uint8Array | undefined;

function spawnAttributes(): Uint8Array {
  if (attributes) return attributes;
  const made = new Uint8Array(STRUCTURE_BYTES);
  // All of them: Node ignores SIGPIPE and SIGXFSZ, and whoever started Node may have ignored more.
  const defaults = new Uint8Array(SIGSET_BYTES).fill(0xff);
  ok(cAttributesInit(made), 'posix_spawnattr_init');
  ok(cSetDefault(made, defaults), 'posix_spawnattr_setsigdefault');
  ok(cSetMask(made, new Uint8Array(SIGSET_BYTES)), 'posix_spawnattr_setsigmask');
  ok(cSetFlags(made, SETPGROUP | SETSIGDEF | SETSIGMASK), 'posix_spawnattr_setflags');
  attributes = made;
  return made;
}

/** The posix_spawn family answers the errno itself. */
function ok(errno: number | bigint, syscall: string, path?: string): void {
  if (Number(errno) !== 0) throw new SystemError(Number(errno), syscall, path);
}

export interface SpawnOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Descriptors that become 0, 1, 2 and so on; they stay the caller's to close. */
  readonly stdio: readonly [stdin: number, stdout: number, stderr: number, ...more: number[]];
  /**
   * Gets the process id as well, before this thread can be stopped with nobody knowing of the child: one number, of
   * shared memory for instance.
   */
  readonly pid?: Int32Array;
}

/** Starts `path` (absolute) and answers its process id. `args[0]` is the name the program sees. */
export function spawnProcess(path: string, options: SpawnOptions): number {
  const actions = new Uint8Array(STRUCTURE_BYTES);
  const { pid = new Int32Array(1) } = options;
  ok(cActionsInit(actions), 'posix_spawn_file_actions_init');
  try {
    options.stdio.forEach((fd, at) => {
      ok(cActionsDup(actions, fd, at), 'posix_spawn_file_actions_adddup2');
    });
    const failed = cSpawn(
      pid,
      path,
      actions,
      spawnAttributes(),
      [...options.args, null],
      [...options.env, null],
    );
    ok(failed, 'posix_spawn', path);
  } finally {
    cActionsDestroy(actions);
  }
  return pid[0]!;
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A pipe whose ends children do not inherit. The caller closes both. */
export function pipe(): { readonly read: number; readonly write: number } {
  const O_CLOEXEC = 0o2000000;
  const fds = new Uint8Array(8);
  check(cPipe(fds, O_CLOEXEC), 'pipe2');
  const view = new DataView(fds.buffer);
  return { read: view.getInt32(0, littleEndian), write: view.getInt32(4, littleEndian) };
}

/**
 * Collects a child that has ended, without waiting: its exit code, 128 + the signal that killed it, or undefined
 * while it runs.
 */
export function reap(pid: number): number | undefined {
  const WNOHANG = 1;
  const status = new Uint8Array(4);
  if (check(cWait(pid, status, WNOHANG), 'waitpid') === 0) return undefined;
  const value = new DataView(status.buffer).getInt32(0, littleEndian);
  const signal = value & 0x7f;
  return signal === 0 ? (value >> 8) & 0xff : 128 + signal;
}

/**
 * Changes the working directory of the calling thread, if it has unshared its `fs` (see `unshare`); else that of the
 * whole process. Node refuses `process.chdir` in worker threads.
 */
export function changeDirectory(path: string): void {
  check(cChdir(path), 'chdir', path);
}
