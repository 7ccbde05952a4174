import { expect } from 'chai';
import type { ReceivedEntry } from '../../../core/contracts/refs.js';
import { decodeList, encodeList } from '../../../core/transfer/received-list.js';

const file = (path: string, more: Partial<ReceivedEntry> = {}): ReceivedEntry => ({
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 3,
  modTime: 1_700_000_000_123_456_789n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
  recordSha256: 'cd',
  ...more,
});

describe('received lists', () => {
  it('come back as they were', () => {
    const { recordSha256: _, ...dir } = file('dir', { mode: 0x800001ed });
    const entries = [
      file('a'),
      dir,
      file('link', { linkname: 'a' }),
      file('attr', { xattrs: { 'user.x': Buffer.from([0, 255]) }, devmajor: 1 }),
    ];
    expect(decodeList(encodeList(entries))).to.deep.equal(entries);
  });

  it('count as absent when unreadable', () => {
    for (const list of ['', '{', '[99]']) expect(decodeList(Buffer.from(list)), list).to.equal(undefined);
  });
});
