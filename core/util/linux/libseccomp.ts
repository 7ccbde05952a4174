/**
 * libseccomp, which OCI runtimes are linked with: turns rules into the BPF program that the kernel takes. Compiling a
 * profile takes 10–20 ms, so whoever starts many processes under one profile compiles it once.
 */
import { readFileSync } from 'node:fs';
import { closeDescriptor } from './descriptors.js';
import { bindFrom } from './libc.js';
import { pipe } from './spawn.js';
import { SystemError } from './system-error.js';

const bind = bindFrom('libseccomp.so.2');
const cInit = bind('uint64 seccomp_init(uint32 action)');
const cRelease = bind('void seccomp_release(uint64 context)');
const cResolveArch = bind('uint32 seccomp_arch_resolve_name(const char *name)');
const cAddArch = bind('int seccomp_arch_add(uint64 context, uint32 arch)');
const cResolveSyscall = bind('int seccomp_syscall_resolve_name(const char *name)');
const cAddRule = bind(
  'int seccomp_rule_add_array(uint64 context, uint32 action, int syscall, uint32 count, const void *args)',
);
const cExport = bind('int seccomp_export_bpf(uint64 context, int fd)');

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;

/** What happens to a system call: it goes through, or fails with this errno. */
export type SeccompVerdict = 'allow' | { readonly errno: number };
export interface SeccompCompare {
  readonly index: number;
  readonly op: 'ne' | 'eq' | 'masked-eq';
  /** The mask of `masked-eq`. */
  readonly value: number;
  readonly valueTwo?: number;
}

const operators = { ne: 1, eq: 4, 'masked-eq': 7 } as const;

const word = (verdict: SeccompVerdict): number => (verdict === 'allow' ? ALLOW : ERRNO | verdict.errno);

/** A filter being built. Every method throws when the library is not installed. */
export class SeccompFilter implements Disposable {
  readonly #context: number | bigint;

  constructor(otherwise: SeccompVerdict) {
    this.#context = cInit(word(otherwise));
    if (!this.#context) throw new Error('seccomp_init failed');
  }

  /** `x86_64`, `x86`, `aarch64`. The native one is there from the start; adding it again is no error. */
  addArchitecture(name: string): void {
    const EEXIST = 17;
    ok(cAddArch(this.#context, cResolveArch(name)), 'seccomp_arch_add', EEXIST);
  }

  /** Answers false for a name that this library does not know. */
  addRule(verdict: SeccompVerdict, syscall: string, compares: readonly SeccompCompare[] = []): boolean {
    const number = Number(cResolveSyscall(syscall));
    const UNKNOWN = -1;
    if (number === UNKNOWN) return false;
    const failed = cAddRule(this.#context, word(verdict), number, compares.length, packed(compares));
    ok(failed, `seccomp_rule_add ${syscall}`);
    return true;
  }

  /** The program, an array of `struct sock_filter`. */
  program(): Uint8Array {
    // At most 4096 instructions of 8 bytes: half of what a pipe holds.
    const { read, write } = pipe();
    try {
      ok(cExport(this.#context, write), 'seccomp_export_bpf');
    } finally {
      closeDescriptor(write);
    }
    try {
      return readFileSync(read);
    } finally {
      closeDescriptor(read);
    }
  }

  [Symbol.dispose](): void {
    cRelease(this.#context);
  }
}

function ok(result: number | bigint, call: string, tolerated = 0): void {
  const errno = -Number(result);
  if (errno !== 0 && errno !== tolerated) throw new SystemError(errno, call);
}

/** `struct scmp_arg_cmp`: two 32 bit words, two 64 bit words, in this machine's order. */
function packed(compares: readonly SeccompCompare[]): Uint8Array {
  const words = new BigUint64Array(compares.length * 3);
  const halves = new Uint32Array(words.buffer);
  compares.forEach(({ index, op, value, valueTwo = 0 }, at) => {
    halves[at * 6] = index;
    halves[at * 6 + 1] = operators[op];
    words[at * 3 + 1] = BigInt(value);
    words[at * 3 + 2] = BigInt(valueTwo);
  });
  return new Uint8Array(words.buffer);
}
