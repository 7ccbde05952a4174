/**
 * The smallest programs: an ELF header, one segment, and code that exits with 0. To see whether the kernel runs an
 * architecture, and to see what an emulator's magic matches.
 */

export interface ElfTarget {
  /** Go's name of the architecture. */
  readonly arch: string;
  /** e_machine. */
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly bigEndian?: boolean;
}

/** In the order in which BuildKit lists what is emulated. BuildKit: util/archutil/detect.go. */
export const elfTargets: readonly ElfTarget[] = [
  { arch: 'amd64', machine: 62, bits: 64 },
  { arch: 'arm64', machine: 183, bits: 64 },
  { arch: 'riscv64', machine: 243, bits: 64 },
  { arch: 'ppc64', machine: 21, bits: 64, bigEndian: true },
  { arch: 'ppc64le', machine: 21, bits: 64 },
  { arch: 's390x', machine: 22, bits: 64, bigEndian: true },
  { arch: '386', machine: 3, bits: 32 },
  { arch: 'mips64le', machine: 8, bits: 64 },
  { arch: 'mips64', machine: 8, bits: 64, bigEndian: true },
  { arch: 'loong64', machine: 258, bits: 64 },
  { arch: 'arm', machine: 40, bits: 32 },
];

/** The first 64 (52) bytes: what binfmt_misc looks at. */
export function elfHeader({ machine, bits, bigEndian = false }: ElfTarget, entry = 0): Buffer {
  const header = Buffer.alloc(bits === 64 ? 64 : 52);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, bigEndian ? 2 : 1, 1]);
  const half = (value: number, at: number): void => {
    if (bigEndian) header.writeUInt16BE(value, at);
    else header.writeUInt16LE(value, at);
  };
  const EXECUTABLE = 2;
  half(EXECUTABLE, 16);
  half(machine, 18);
  if (bits === 32 && !bigEndian) {
    header.writeUInt32LE(1, 20);
    header.writeUInt32LE(entry, 24);
    header.writeUInt32LE(header.length, 28);
    half(header.length, 40);
    half(32, 42);
    half(1, 44);
  }
  return header;
}

/** Machine code of `exit(0)` for the 32 bit modes that 64 bit kernels run natively. */
const exitCode: Readonly<Record<string, readonly number[]>> = {
  // mov eax, 1; xor ebx, ebx; int 0x80
  386: [0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80],
  // mov r7, #1; mov r0, #0; svc #0
  arm: [0x01, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef],
};

/** A whole program, for the architectures that have code above. */
export function exitProgram(target: ElfTarget): Buffer {
  const code = Buffer.from(exitCode[target.arch] ?? []);
  const base = 0x10000;
  const offset = 52 + 32;
  const segment = Buffer.alloc(32);
  const READ_EXECUTE = 5;
  const size = offset + code.length;
  [1, 0, base, base, size, size, READ_EXECUTE, 0x1000].forEach((value, at) => {
    segment.writeUInt32LE(value, at * 4);
  });
  return Buffer.concat([elfHeader(target, base + offset), segment, code]);
}
