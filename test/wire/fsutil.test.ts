import { expect } from 'chai';
import fc from 'fast-check';
import type { FileStat } from '../../core/contracts/refs.js';
import {
  decodeBytesMessage,
  decodePacket,
  decodeStat,
  encodeBytesMessage,
  encodePacket,
  encodeStat,
  type Packet,
} from '../../proto/fsutil.js';
import { decodeStats, encodeStats } from '../../proto/gateway-stat.js';

const mtime = 1700000000123456789n;
const stat = (path: string, mode: number, more: Partial<FileStat> = {}): FileStat => ({
  path,
  mode,
  uid: 0,
  gid: 0,
  size: 0,
  modTime: mtime,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
  ...more,
});

const dir = 2 ** 31 + 0o755;
const link = (1 << 27) | 0o777;

/** Wire facts G4, recorded from BuildKit. */
const golden: readonly (readonly [what: string, hex: string, packet: Packet])[] = [
  [
    'a file',
    '12160a05612e74787410a403280630959a97ece39fe7cb17',
    { type: 'stat', stat: stat('a.txt', 0o644, { size: 6 }) },
  ],
  ['a directory', '12150a0364697210ed8380800830959a97ece39fe7cb17', { type: 'stat', stat: stat('dir', dir) }],
  [
    'an executable',
    '12190a086469722f622e736810ed03280a30959a97ece39fe7cb17',
    { type: 'stat', stat: stat('dir/b.sh', 0o755, { size: 10 }) },
  ],
  [
    'a symbolic link in a directory',
    '12230a066469722f757010ff838040280830959a97ece39fe7cb173a082e2e2f612e747874',
    { type: 'stat', stat: stat('dir/up', link, { size: 8, linkname: '../a.txt' }) },
  ],
  [
    'a symbolic link',
    '12210a046c696e6b10ff838040280830959a97ece39fe7cb173a086469722f622e7368',
    { type: 'stat', stat: stat('link', link, { size: 8, linkname: 'dir/b.sh' }) },
  ],
  [
    'a hard link',
    '121e0a067a2d6861726410a403280630959a97ece39fe7cb173a05612e747874',
    { type: 'stat', stat: stat('z-hard', 0o644, { size: 6, linkname: 'a.txt' }) },
  ],
  ['the end of the list', '', { type: 'stat' }],
  ['a request for file 0', '0801', { type: 'req', id: 0 }],
  ['data of file 0', '0802220668656c6c6f0a', { type: 'data', id: 0, data: Buffer.from('hello\n') }],
  ['the end of file 0', '0802', { type: 'data', id: 0, data: Buffer.alloc(0) }],
  ['a request for file 2', '08011802', { type: 'req', id: 2 }],
  [
    'data of file 2',
    '08021802220a23212f62696e2f73680a',
    { type: 'data', id: 2, data: Buffer.from('#!/bin/sh\n') },
  ],
  ['the end of file 2', '08021802', { type: 'data', id: 2, data: Buffer.alloc(0) }],
  ['the end of the transfer', '0803', { type: 'fin' }],
];

const stats: fc.Arbitrary<FileStat> = fc.record({
  path: fc.string({ unit: 'grapheme' }),
  mode: fc.nat(0xffffffff),
  uid: fc.nat(0xffffffff),
  gid: fc.nat(0xffffffff),
  size: fc.maxSafeNat(),
  modTime: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  linkname: fc.string({ unit: 'grapheme' }),
  devmajor: fc.nat(),
  devminor: fc.nat(),
  xattrs: fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array({ maxLength: 8 }), {
    noNullPrototype: true,
  }),
});

describe('packets of tree transfers', () => {
  for (const [what, hex, packet] of golden) {
    it(`writes ${what} as BuildKit does, and reads it back`, () => {
      expect(encodePacket(packet).toString('hex')).to.equal(hex);
      expect(decodePacket(Buffer.from(hex, 'hex'))).to.deep.equal(packet);
    });
  }

  it('keeps every stat, times to the nanosecond', () => {
    fc.assert(
      fc.property(stats, (value) => {
        expect(decodeStat(encodeStat(value))).to.deep.equal(value);
      }),
    );
  });

  it('keeps file data without copying it', () => {
    const bytes = encodePacket({ type: 'data', id: 7, data: Buffer.from('content') });
    const packet = decodePacket(bytes);
    expect(packet.type === 'data' && packet.data.buffer === bytes.buffer).to.equal(true);
  });

  it('refuses what ends early', () => {
    const whole = Buffer.from('12160a05612e74787410a403280630959a97ece39fe7cb17', 'hex');
    for (let length = 1; length < whole.length; length++) {
      expect(() => decodePacket(whole.subarray(0, length)), `${length} bytes`).to.throw(RangeError);
    }
  });

  it('skips fields of newer versions', () => {
    const known = encodePacket({ type: 'req', id: 3 });
    const unknown = Buffer.from('f80105fa0103616263', 'hex');
    expect(decodePacket(Buffer.concat([known, unknown]))).to.deep.equal({ type: 'req', id: 3 });
  });

  it('wraps bytes in messages', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        expect(Buffer.from(decodeBytesMessage(encodeBytesMessage(data)))).to.deep.equal(Buffer.from(data));
      }),
    );
  });

  it('answers ReadDir with exact times', () => {
    const list = [stat('a', 0o644), stat('b', dir)];
    expect(decodeStats(encodeStats(list))).to.deep.equal(list);
  });
});
