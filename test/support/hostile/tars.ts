/** Tars that no archiver writes: every field free, PAX records and GNU long names that say something else. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { mutated } from './ops.js';
import { nastyInteger, nastyPath, nastyText } from './values.js';

const flags = ['0', '0', '0', '1', '1', '2', '2', '3', '4', '5', '5', '6', '7', '\0', 'S', 'V', 'Z'] as const;

const whiteout = fc
  .tuple(
    fc.constantFrom('', 'a/', 'link/', '../'),
    fc.constantFrom('..', '.', '', 'a', 'link', '.wh..opq', 'canary'),
  )
  .map(([dir, name]) => `${dir}.wh.${name}`);
const name = fc.oneof(
  { weight: 5, arbitrary: nastyPath },
  { weight: 1, arbitrary: whiteout },
  { weight: 3, arbitrary: fc.constantFrom('link', 'link/a', 'dir', 'dir/link', 'dir/link/x', 'a', 'a/b') },
);
const target = fc.oneof(
  nastyPath,
  fc.constantFrom('..', '../..', '/', '../canary', '../canary/file', '/etc', 'link', 'link/../..', '.'),
);
const paxKey = fc.constantFrom(
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'mtime',
  'SCHILY.xattr.user.a',
  'SCHILY.xattr.trusted.overlay.opaque',
  'SCHILY.xattr.trusted.overlay.redirect',
  'SCHILY.xattr.security.capability',
  'SCHILY.xattr.a\0b',
  'GNU.sparse.major',
  '__proto__',
);

interface Entry {
  readonly flag: string;
  readonly name: string;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly content: string;
  readonly size: number | undefined;
  readonly pax: readonly (readonly [string, string])[];
  readonly global: boolean;
  readonly long: string | undefined;
}

const entry: fc.Arbitrary<Entry> = fc.record({
  flag: fc.constantFrom(...flags),
  name,
  linkname: target,
  mode: fc.oneof(fc.constant(0o755), fc.nat(0o7777), nastyInteger),
  uid: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: nastyInteger }),
  content: fc.constantFrom('', '', 'x', 'hello'.repeat(200)),
  size: fc.option(nastyInteger, { nil: undefined, freq: 12 }),
  pax: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(paxKey, fc.oneof(name, target, nastyText)), { maxLength: 3 }) },
  ),
  global: fc.boolean(),
  long: fc.option(fc.oneof(name, nastyText), { nil: undefined, freq: 8 }),
});

export const hostileTar: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.array(entry, { minLength: 1, maxLength: 8 }), fc.boolean())
  .map(([entries, ends]) => Buffer.concat([...entries.map(encodeEntry), Buffer.alloc(ends ? 1024 : 0)]));

export interface HostileLayer {
  readonly tar: Uint8Array;
  readonly compression: 'none' | 'gzip';
}

const anyTar = fc.oneof({ weight: 4, arbitrary: hostileTar }, { weight: 1, arbitrary: mutated(hostileTar) });
const gzipped = anyTar.map((tar) => new Uint8Array(gzipSync(tar, { level: 1 })));
export const hostileLayer: fc.Arbitrary<HostileLayer> = fc.oneof(
  { weight: 4, arbitrary: anyTar.map((tar): HostileLayer => ({ tar, compression: 'none' })) },
  {
    weight: 1,
    arbitrary: fc.oneof(gzipped, mutated(gzipped)).map((tar): HostileLayer => ({ tar, compression: 'gzip' })),
  },
);

function encodeEntry(entry: Entry): Buffer {
  const { pax, long, content, size } = entry;
  const parts: Buffer[] = [];
  if (pax.length > 0) parts.push(member(entry.global ? 'g' : 'x', 'pax', Buffer.concat(pax.map(record))));
  if (long !== undefined) parts.push(member(entry.uid === 0 ? 'L' : 'K', 'long', Buffer.from(`${long}\0`)));
  parts.push(member(entry.flag, entry.name, Buffer.from(content), entry, size));
  return Buffer.concat(parts);
}

/** One header and its content; `size` may claim another length. */
export function member(
  flag: string,
  name: string,
  content: Uint8Array,
  { linkname = '', mode = 0o644, uid = 0 }: Partial<Entry> = {},
  size = content.length,
): Buffer {
  const block = Buffer.alloc(512);
  block.write(name.slice(0, 100), 0, 100, 'utf8');
  number(block, 100, 8, mode);
  number(block, 108, 8, uid);
  number(block, 116, 8, uid);
  number(block, 124, 12, size);
  number(block, 136, 12, 1);
  block.write(flag, 156, 1, 'latin1');
  block.write(linkname, 157, 100, 'utf8');
  block.write('ustar\x0000', 257, 8, 'latin1');
  number(block, 329, 8, 1);
  number(block, 337, 8, 3);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([block, content, padding]);
}

/** Octal where it fits, else base 256. */
function number(block: Buffer, at: number, length: number, value: number): void {
  const octal = value >= 0 ? value.toString(8) : '';
  if (octal !== '' && octal.length < length) {
    block.write(`${octal.padStart(length - 1, '0')}\0`, at, length, 'latin1');
    return;
  }
  let rest = BigInt.asUintN(length * 8 - 1, BigInt(value));
  for (let i = length - 1; i >= 0; i--, rest >>= 8n) block[at + i] = Number(rest & 0xffn);
  block[at]! |= 0x80;
}

export function record([key, value]: readonly [string, string]): Buffer {
  const text = ` ${key}=${value}\n`;
  const size = Buffer.byteLength(text);
  let total = size + String(size).length;
  total = size + String(total).length;
  return Buffer.from(`${total}${text}`);
}
