/** Which foreign programs the kernel hands to an emulator: /proc/sys/fs/binfmt_misc. */
import fs from 'node:fs';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { type ElfTarget, elfHeader } from './elf.js';

const BINFMT = '/proc/sys/fs/binfmt_misc';

export interface BinfmtEntry {
  readonly enabled: boolean;
  readonly flags: string;
  readonly offset: number;
  readonly magic: Buffer;
  readonly mask: Buffer | undefined;
}

/** One file of binfmt_misc; undefined for entries that go by file name. */
export function parseBinfmt(text: string): BinfmtEntry | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}:?\\s*(.*)$`, 'm').exec(text)?.[1];
  const magic = field('magic');
  if (magic === undefined) return undefined;
  const mask = field('mask');
  return {
    enabled: text.startsWith('enabled'),
    flags: field('flags') ?? '',
    offset: Number(field('offset') ?? 0),
    magic: Buffer.from(magic, 'hex'),
    mask: mask === undefined ? undefined : Buffer.from(mask, 'hex'),
  };
}

/** Whether it takes programs of this architecture inside containers, where its interpreter is not: flag F. */
export function emulates(entry: BinfmtEntry, target: ElfTarget): boolean {
  const { magic, mask, offset } = entry;
  const header = elfHeader(target);
  return (
    entry.enabled &&
    entry.flags.includes('F') &&
    magic.every(
      (byte, at) => ((header[offset + at] ?? 0) & (mask?.[at] ?? 0xff)) === (byte & (mask?.[at] ?? 0xff)),
    )
  );
}

export function binfmtEntries(): BinfmtEntry[] {
  try {
    const names = fs.readdirSync(BINFMT).filter((name) => name !== 'register' && name !== 'status');
    return names.flatMap((name) => parseBinfmt(fs.readFileSync(`${BINFMT}/${name}`, 'utf8')) ?? []);
  } catch (error) {
    // Not mounted, or not for us to read: then nothing is emulated.
    if (isErrno(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}
