/**
 * The door to libc, and the only file that knows koffi. The library is loaded at the first call (loading costs some
 * milliseconds that most commands never need), each function is bound at its first use.
 *
 * Calls are synchronous: 0.2–1.6 µs over the system call itself. Whoever makes many of them does so in a worker
 * thread. koffi knows no `ssize_t`, so signatures say `int64`.
 */
import { createRequire } from 'node:module';
import { SystemError } from './system-error.js';

type Koffi = typeof import('koffi').default;
type Library = ReturnType<Koffi['load']>;

let koffi: Koffi | undefined;
let libc: Library | undefined;

function load(): { readonly koffi: Koffi; readonly libc: Library } {
  if (process.platform !== 'linux') {
    throw new SystemError(38, `system calls are made on Linux only, this is ${process.platform}:`);
  }
  koffi ??= createRequire(import.meta.url)('koffi') as Koffi;
  // The program's own symbols: whichever libc node itself runs on, glibc or musl.
  libc ??= koffi.load(null);
  return { koffi, libc };
}

/** A list of strings goes as `const char **`; whoever needs a terminator adds `null`. */
export type Argument =
  | string
  | number
  | bigint
  | Uint8Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | readonly (string | null)[]
  | null;
type Call = (...args: Argument[]) => number | bigint;

/** Binds a C function lazily: `bind('int umount2(const char *target, int flags)')`. */
export function bind(signature: string): Call {
  let call: Call | undefined;
  return (...args) => {
    call ??= load().libc.func(signature) as unknown as Call;
    return call(...args);
  };
}

/**
 * The same from another shared library (`libseccomp.so.2`), found where the dynamic linker finds it. Throws at the
 * first call when it is not installed.
 */
export function bindFrom(library: string): (signature: string) => Call {
  let loaded: Library | undefined;
  return (signature) => {
    let call: Call | undefined;
    return (...args) => {
      loaded ??= load().koffi.load(library);
      call ??= loaded.func(signature) as unknown as Call;
      return call(...args);
    };
  };
}

/** Answers a call's result, or throws the errno that it left behind. */
export function check(result: number | bigint, syscall: string, path?: string, dest?: string): number {
  const value = Number(result);
  if (value < 0) throw new SystemError(load().koffi.errno(), syscall, path, dest);
  return value;
}

/** A system call by number, for those that older libcs do not wrap. Every argument travels as a machine word. */
export function rawSyscall(parameters: string): Call {
  return bind(`int64 syscall(int64 number, ${parameters})`);
}

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
