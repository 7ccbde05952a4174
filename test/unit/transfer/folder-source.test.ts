import fs from 'node:fs';
import { expect } from 'chai';
import type { FolderFilter } from '../../../core/transfer/folder-filter.js';
import { FolderSource } from '../../../core/transfer/folder-source.js';
import { makeTempDir, makeTree, type TreeSpec } from '../../support/trees.js';

const all: FolderFilter = { includePatterns: [], excludePatterns: [], followPaths: [] };

describe('folders of a client', () => {
  let root: string;
  beforeEach(() => {
    root = makeTempDir();
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  const paths = (spec: TreeSpec, filter: Partial<FolderFilter>): string[] => {
    makeTree(root, spec);
    return [...new FolderSource(root, { ...all, ...filter }).entries()].map(({ stat }) => stat.path);
  };

  const tree: TreeSpec = {
    'a.txt': 'a',
    'b.log': 'b',
    src: { 'x.c': 'x', 'x.log': 'l', gen: { 'g.c': 'g' }, empty: {} },
    link: { link: 'src/x.c' },
    way: { link: 'src' },
  };

  const cases: readonly (readonly [
    what: string,
    filter: Partial<FolderFilter>,
    expected: readonly string[],
  ])[] = [
    [
      'walks everything in the order of bytes',
      {},
      ['a.txt', 'b.log', 'link', 'src', 'src/empty', 'src/gen', 'src/gen/g.c', 'src/x.c', 'src/x.log', 'way'],
    ],
    ['leaves out what is excluded', { excludePatterns: ['src', '*.log'] }, ['a.txt', 'link', 'way']],
    [
      'takes back an exclusion, with the directories on the way',
      { excludePatterns: ['src', '!src/gen/g.c'] },
      ['a.txt', 'b.log', 'link', 'src', 'src/gen', 'src/gen/g.c', 'way'],
    ],
    [
      'excludes at any depth',
      { excludePatterns: ['**/*.log', 'way', 'link'] },
      ['a.txt', 'src', 'src/empty', 'src/gen', 'src/gen/g.c', 'src/x.c'],
    ],
    [
      'includes only what matches, with its parents',
      { includePatterns: ['src/gen/*'] },
      ['src', 'src/gen', 'src/gen/g.c'],
    ],
    [
      'includes all below a directory that matches',
      { includePatterns: ['src/gen'] },
      ['src', 'src/gen', 'src/gen/g.c'],
    ],
    ['leaves a parent out when nothing in it is included', { includePatterns: ['src/*.h'] }, []],
    [
      'combines both lists',
      { includePatterns: ['src'], excludePatterns: ['**/*.c'] },
      ['src', 'src/empty', 'src/gen', 'src/x.log'],
    ],
    ['follows a link to what it means', { followPaths: ['link'] }, ['link', 'src', 'src/x.c']],
    [
      'follows a link in the middle of a path',
      { followPaths: ['way/gen'] },
      ['src', 'src/gen', 'src/gen/g.c', 'way'],
    ],
    ['follows links that a wildcard finds', { followPaths: ['l*k'] }, ['link', 'src', 'src/x.c']],
    ['takes a followed path that does not exist as it is', { followPaths: ['nowhere'] }, []],
    [
      'adds followed paths to the included ones',
      { includePatterns: ['a.txt'], followPaths: ['link'] },
      ['a.txt', 'link', 'src', 'src/x.c'],
    ],
    ['cannot be led out of the folder', { followPaths: ['../../a.txt'] }, ['a.txt']],
  ];
  for (const [what, filter, expected] of cases) {
    it(what, () => {
      expect(paths(tree, filter)).to.deep.equal(expected);
    });
  }

  it('takes everything when a followed path is the root', () => {
    expect(paths({ a: '1', b: '2' }, { followPaths: ['.'] })).to.deep.equal(['a', 'b']);
  });

  it('survives links that lead in circles', () => {
    expect(paths({ a: { link: 'b' }, b: { link: 'a' } }, { followPaths: ['a'] })).to.deep.equal(['a', 'b']);
  });

  it('names a pattern that it cannot read', () => {
    expect(() => paths({}, { includePatterns: ['[a'] })).to.throw('invalid includepatterns');
  });

  it('gives everything to root and keeps links among its files', () => {
    makeTree(root, { a: 'one', sub: { b: { same: 'a' } }, c: { link: 'a' } });
    const told = [...new FolderSource(root, all).entries()].map(({ stat, content }) => ({
      path: stat.path,
      owner: [stat.uid, stat.gid],
      size: stat.size,
      linkname: stat.linkname,
      content: content !== undefined,
    }));
    expect(told).to.deep.equal([
      { path: 'a', owner: [0, 0], size: 3, linkname: '', content: true },
      { path: 'c', owner: [0, 0], size: 1, linkname: 'a', content: false },
      { path: 'sub', owner: [0, 0], size: 0, linkname: '', content: false },
      { path: 'sub/b', owner: [0, 0], size: 3, linkname: 'a', content: false },
    ]);
  });

  it('makes the first remaining name the file when an earlier one is filtered out', () => {
    makeTree(root, { a: 'one', b: { same: 'a' }, c: { same: 'a' } });
    const told = [...new FolderSource(root, { ...all, excludePatterns: ['a'] }).entries()];
    expect(told.map(({ stat }) => [stat.path, stat.linkname])).to.deep.equal([
      ['b', ''],
      ['c', 'b'],
    ]);
  });
});
