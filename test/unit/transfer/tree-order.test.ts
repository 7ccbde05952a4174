import { expect } from 'chai';
import fc from 'fast-check';
import type { FileStat } from '../../../core/contracts/refs.js';
import { comparePaths } from '../../../core/transfer/path-order.js';
import { TreeOrder } from '../../../core/transfer/tree-order.js';
import { goMode } from '../../../core/util/gofs/mode.js';

const DIR = (goMode.dir + 0o755) >>> 0;
const LINK = (goMode.symlink | 0o777) >>> 0;
const stat = (path: string, mode = 0o644, linkname = ''): FileStat => ({
  path,
  mode,
  uid: 0,
  gid: 0,
  size: 0,
  modTime: 0n,
  linkname,
  devmajor: 0,
  devminor: 0,
  xattrs: {},
});

function check(...list: readonly FileStat[]): void {
  const order = new TreeOrder();
  for (const entry of list) order.check(entry);
}

describe('order of a transfer', () => {
  it('takes a walk', () => {
    check(stat('a', DIR), stat('a/b', DIR), stat('a/b/c'), stat('a/d'), stat('a.txt'), stat('b'));
  });

  const hostile: readonly (readonly [what: string, list: readonly FileStat[], message: string])[] = [
    ['an absolute path', [stat('/etc/passwd')], 'absolute path'],
    ['a way out', [stat('../x')], 'escape check'],
    ['the parent itself', [stat('..')], 'escape check'],
    ['the root itself', [stat('.')], 'unclean path'],
    ['an empty path', [stat('')], 'unclean path'],
    ['a way out further in', [stat('a', DIR), stat('a/../../x')], 'unclean path'],
    ['a detour', [stat('a', DIR), stat('a/./b')], 'unclean path'],
    ['a trailing slash', [stat('a/', DIR)], 'unclean path'],
    ['a NUL byte', [stat('a\0b')], 'unclean path'],
    ['a missing parent', [stat('a/b')], 'changes out of order'],
    ['a file as parent', [stat('a'), stat('a/b')], 'changes out of order'],
    ['a symbolic link as parent', [stat('a', LINK, '/etc'), stat('a/passwd')], 'changes out of order'],
    ['the same path twice', [stat('a', LINK, '/etc'), stat('a', DIR)], 'changes out of order'],
    ['a descending name', [stat('b'), stat('a')], 'changes out of order'],
    [
      'a return into a closed directory',
      [stat('a', DIR), stat('b', DIR), stat('a/x')],
      'changes out of order',
    ],
    ['a hard link to something outside', [stat('a', 0o644, '/etc/passwd')], 'unknown path'],
    ['a hard link to a later file', [stat('a', 0o644, 'b'), stat('b')], 'unknown path'],
    ['a hard link to a symbolic link', [stat('a', LINK, '/etc'), stat('b', 0o644, 'a')], 'unknown path'],
    ['a hard link to a directory', [stat('a', DIR), stat('b', 0o644, 'a')], 'unknown path'],
  ];
  for (const [what, list, message] of hostile) {
    it(`refuses ${what}`, () => {
      expect(() => check(...list)).to.throw(message);
    });
  }

  it('sorts names as bytes, directories before what follows their slash', () => {
    const paths = ['a', 'a/b', 'a/b/c', 'a-b', 'a.b', 'ab', 'é', '\uFFEE', '\u{1F600}'];
    expect([...paths].reverse().sort(comparePaths)).to.deep.equal(paths);
  });

  it('agrees with the bytes of single names', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('/'));
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(comparePaths(a, b))).to.equal(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});
