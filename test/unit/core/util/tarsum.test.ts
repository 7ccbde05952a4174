import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { goModeOf } from '../../../../core/util/gofs/mode.js';
import { type TarsumStat, tarsumHeader } from '../../../../core/util/tarsum.js';

const stat = (stMode: number, more: Partial<TarsumStat> = {}): TarsumStat => ({
  mode: goModeOf(stMode),
  uid: 0,
  gid: 0,
  size: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
  ...more,
});
const digest = (of: TarsumStat, content = ''): string =>
  createHash('sha256').update(tarsumHeader(of)).update(content).digest('hex');

// Golden values G3 of the wire facts.
describe('tarsumHeader', () => {
  const hello = 'hello\n';
  const xattrs = {
    'user.foo': Buffer.from('bar'),
    'user.a': Buffer.from('1'),
    'security.capability': Buffer.from('01000002', 'hex'),
    'security.selinux': Buffer.from('x'),
    'system.posix_acl_access': Buffer.from('y'),
  };
  const table: readonly (readonly [name: string, stat: TarsumStat, content: string, digest: string])[] = [
    [
      'a file',
      stat(0o100644, { size: 6 }),
      hello,
      '09eefdc91e8894bc767daae7daa5a4e8cbf396610f10ae20604d9086c76d4a93',
    ],
    [
      'an owned file',
      stat(0o100644, { size: 6, uid: 1000, gid: 1001 }),
      hello,
      'e45fe5f58a66150490a3e046de94074d2b2025e73cd1b83dadd94ffdbae48cdf',
    ],
    [
      'a file with xattrs, of which some do not count',
      stat(0o100644, { size: 6, xattrs }),
      hello,
      'c6d8af014c44f9ef74eee2416b9b20de6b7f933f5b541d0e54783dbf6fac72d3',
    ],
    [
      'a directory',
      stat(0o040755, { size: 4096 }),
      '',
      '1a2805521573cb10d73bcd51d16bfa84c8f461d68599740e35484b90b2ab1bab',
    ],
    [
      'a sticky directory',
      stat(0o041777),
      '',
      '97c4203289526b493abab35496a5c819ad951b69f08fd1950a003a2957d1d91d',
    ],
    [
      'a symbolic link',
      stat(0o120777, { size: 8, linkname: 'dir/b.sh' }),
      '',
      'f835b6600d0b61a3ffbd7e68c367464e2257f1304a16f3cfba286a0e072e6d00',
    ],
    [
      'a character device',
      stat(0o020666, { devmajor: 1, devminor: 3 }),
      '',
      'b5cab4d22002a5d4e9602cc55f9928e420ed51d77bf42d701ba879531b7a3274',
    ],
    [
      'a block device',
      stat(0o060660, { devmajor: 8, devminor: 1 }),
      '',
      'fd234fdea78350c5eca62a0479188e8a71a3a015b6b21acd72ec93ea33e8a56e',
    ],
    ['a fifo', stat(0o010644), '', 'ed66acfbb9d93c08ed7faab2b6c0e2201a312df9abcbd94a761a1ea7f345dad5'],
    [
      'a socket, as an empty file',
      stat(0o140755),
      '',
      'f17a848b35eb7ee0d2782522a9daf8a81f8bb998a53d4dd0c2142715f145d194',
    ],
  ];
  for (const [name, of, content, expected] of table) {
    it(`digests ${name} as BuildKit does`, () => expect(digest(of, content)).to.equal(expected));
  }
});
