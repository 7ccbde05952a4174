import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { expect } from 'chai';
import { checksum, scratchChecksum } from '../../../../../core/content/hash/checksum.js';
import { KnownDigests } from '../../../../../core/content/hash/known-digests.js';
import { TreeDigests } from '../../../../../core/content/hash/tree-digests.js';
import type { ContentHashOptions } from '../../../../../core/contracts/refs.js';
import { sha256 } from '../../../../../core/util/digest.js';
import { goModeOf } from '../../../../../core/util/gofs/mode.js';
import { tarsumHeader } from '../../../../../core/util/tarsum.js';
import { LayerTree } from '../../../../../core/util/tree/layer-tree.js';
import { makeTempDir, makeTree } from '../../../../support/trees.js';

/** G3 of the wire facts: the names lie on disk, but records come from these stats, whoever runs the test. */
const golden: readonly (readonly [
  path: string,
  stMode: number,
  content: string,
  uid?: number,
  gid?: number,
])[] = [
  ['/a.txt', 0o100644, 'hello\n'],
  ['/dir', 0o040755, ''],
  ['/dir/b.sh', 0o100755, '#!/bin/sh\n', 1000, 1001],
  ['/dir/empty', 0o100600, ''],
  ['/dir/up', 0o120777, '../a.txt'],
  ['/dir-x', 0o040700, ''],
  ['/dir-x/c', 0o104755, 'c'],
  ['/link', 0o120777, 'dir/b.sh'],
  ['/z-hard', 0o100644, 'hello\n'],
];

const options = (more: Partial<ContentHashOptions> = {}): ContentHashOptions => ({
  wildcard: false,
  followLinks: false,
  includePatterns: [],
  excludePatterns: [],
  ...more,
});

describe('checksum', () => {
  let dir: string;
  before(() => {
    dir = makeTree(makeTempDir(), {
      'a.txt': 'hello\n',
      dir: { 'b.sh': '#!/bin/sh\n', empty: '', up: { link: '../a.txt' } },
      'dir-x': { c: 'c' },
      link: { link: 'dir/b.sh' },
      'z-hard': { same: 'a.txt' },
    });
  });
  after(() => fs.rmSync(dir, { recursive: true }));

  const record = (stMode: number, content: string, uid = 0, gid = 0): `sha256:${string}` => {
    const symlink = (stMode & 0o170000) === 0o120000;
    const header = tarsumHeader({
      mode: goModeOf(stMode),
      uid,
      gid,
      size: Buffer.byteLength(content),
      linkname: symlink ? content : '',
      devmajor: 0,
      devminor: 0,
      xattrs: {},
    });
    const hash = createHash('sha256').update(header);
    return `sha256:${hash.update(symlink ? '' : content).digest('hex')}`;
  };
  const digestsOf = (received: boolean): TreeDigests => {
    const known = KnownDigests.empty();
    known.set('record', '/', received ? sha256('') : record(0o040755, ''));
    for (const [path, stMode, content, uid, gid] of golden) {
      known.set('record', path, received ? record(stMode, content) : record(stMode, content, uid, gid));
    }
    return new TreeDigests(new LayerTree([dir]), known, () => {});
  };

  const follow = { followLinks: true };
  const wild = { wildcard: true };
  const scanned: readonly (readonly [path: string, options: Partial<ContentHashOptions>, digest: string])[] =
    [
      ['/', {}, '65549408a8a50156713b8b12fe304c70469151f28c55f7ecc4f6dacc67ebef48'],
      ['/a.txt', {}, '09eefdc91e8894bc767daae7daa5a4e8cbf396610f10ae20604d9086c76d4a93'],
      ['/z-hard', {}, '09eefdc91e8894bc767daae7daa5a4e8cbf396610f10ae20604d9086c76d4a93'],
      ['/dir/up', follow, '09eefdc91e8894bc767daae7daa5a4e8cbf396610f10ae20604d9086c76d4a93'],
      [
        '/a.txt',
        { excludePatterns: ['nope'] },
        '09eefdc91e8894bc767daae7daa5a4e8cbf396610f10ae20604d9086c76d4a93',
      ],
      ['/dir', {}, 'dacba1efb1f40b9b76e10db8b3d0793ee38ea7186ca3af5a36e6903b92f90db1'],
      ['/dir/', {}, 'dacba1efb1f40b9b76e10db8b3d0793ee38ea7186ca3af5a36e6903b92f90db1'],
      ['/dir/b.sh', {}, 'c9fed44c54a97ba9c9583597fc97e2cb9b11dd54e27082ebd5a51f39d2450b9b'],
      ['/link', follow, 'c9fed44c54a97ba9c9583597fc97e2cb9b11dd54e27082ebd5a51f39d2450b9b'],
      ['/dir/empty', {}, '2bac37a1b15ce2475f45da359bd47f5dad0aea6b4ecdff8b774ee093757e1a28'],
      ['/dir/up', {}, 'a1561ad5d8a9bc932bebae130da2618f4b5cad6ce559bf973979dae9f04c82fc'],
      ['/dir-x', {}, '85611df1234e0eca1859e327c0e0fe93013d2001311379736cd9b9d799a58a94'],
      ['/dir-x/c', {}, '0b37545b78266792c96a988b4717c0604818ff55159c48f687245fe5d88aa3de'],
      ['/link', {}, 'f835b6600d0b61a3ffbd7e68c367464e2257f1304a16f3cfba286a0e072e6d00'],
      ['/*.txt', wild, '5327aa97082cb09c666f18605295403e91a43812c875a76f5853b3436acb04b7'],
      ['/a*', wild, '5327aa97082cb09c666f18605295403e91a43812c875a76f5853b3436acb04b7'],
      ['/a.tx?', wild, '5327aa97082cb09c666f18605295403e91a43812c875a76f5853b3436acb04b7'],
      ['/dir*', wild, '428dbd09557124c83b8cbbd04d75462d360b0c86006de4c182d5eedcaa814348'],
      ['/dir/*', wild, '454aed5e0dce1ebb5be8256bf8781e15d9c8d3c4713b0621d3cee553340e4068'],
      ['/l*', wild, '2b49fb341af94764a85cd9a6a6693e3d23e3a7f81fbcf99aab39218fa1bce57d'],
      ['/l*', { ...wild, ...follow }, '4a3f65220ae3c31a8e4b12993ac90c68dffd32dbe7239d5269f9e72d49d91d87'],
      ['/q*', wild, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      [
        '/',
        { includePatterns: ['**/*.sh'] },
        '0b245181df6c560f41fbdb561bff9753d94d270ec582e143e1528acf466f521c',
      ],
      [
        '/dir',
        { includePatterns: ['*.sh'] },
        '14b4482bbb436f6a2e8ad975906a47ab3c6d8eba38528577f4a34b85717ede4c',
      ],
      [
        '/',
        { excludePatterns: ['dir*'] },
        '444545098d28db3d2f0f076614bd29f59c66acdf912faa4650bbd19f3efabefa',
      ],
      [
        '/dir',
        { excludePatterns: ['up'] },
        'acf2ac95752301e57502cb415d1e6ebb78134b8771881a3d5e8303a0297982cd',
      ],
    ];
  for (const [path, given, digest] of scanned) {
    it(`digests ${path} ${JSON.stringify(given)} as BuildKit does`, () => {
      expect(checksum(digestsOf(false), path, options(given))).to.equal(`sha256:${digest}`);
    });
  }

  const received: typeof scanned = [
    ['/', {}, 'f947893f5231444f98ad1929b2ac49a68d7c8374b94c5060752aab4579a3e3eb'],
    ['/dir', {}, '8e8b222eb24f20aa8e991baf55acf4370294adc1f538401fe9569595015c3bca'],
    ['/dir/b.sh', {}, 'b59f2879a8c12ad604e2b8199ff000176504a245091da93e42fdbbab8cfa75ec'],
    [
      '/',
      { includePatterns: ['**/*.sh'] },
      'b91379431fb56a96c95b2d10f6f15f935f8e1e769c0b51f6e058e72d164b9104',
    ],
  ];
  for (const [path, given, digest] of received) {
    it(`digests ${path} ${JSON.stringify(given)} of a received tree as BuildKit does`, () => {
      expect(checksum(digestsOf(true), path, options(given))).to.equal(`sha256:${digest}`);
    });
  }

  it('says what is missing and what is there instead', () => {
    expect(() => checksum(digestsOf(false), '/dir/b.sg', options()))
      .to.throw('"/dir/b.sg": not found')
      .with.property('hint', 'Did you mean /dir/b.sh?');
    expect(() => checksum(digestsOf(false), '/a.txt/b', options())).to.throw('"/a.txt/b": not found');
  });

  it('asks for required paths', () => {
    const given = options({ includePatterns: ['dir'], requiredPaths: ['/a.txt'] });
    expect(() => checksum(digestsOf(false), '/', given)).to.throw('"/a.txt": not found');
  });

  it('knows the root of an empty tree and nothing else', () => {
    expect(scratchChecksum('/')).to.equal(sha256(''));
    expect(() => scratchChecksum('/a')).to.throw('/a: no such file or directory');
  });
});
