import fs from 'node:fs';
import { expect } from 'chai';
import { type SelectionOptions, select } from '../../../../../core/content/hash/selection.js';
import { LayerTree } from '../../../../../core/util/tree/layer-tree.js';
import { makeTempDir, makeTree } from '../../../../support/trees.js';

describe('select', () => {
  let dir: string;
  before(() => {
    dir = makeTree(makeTempDir(), {
      a: { b: { c: 'c' }, d: 'd' },
      e: 'e',
      l: { link: 'a' },
    });
  });
  after(() => fs.rmSync(dir, { recursive: true }));

  const paths = (path: string, options: Partial<SelectionOptions>): readonly string[] =>
    select(new LayerTree([dir]), path, {
      wildcard: false,
      includePatterns: [],
      excludePatterns: [],
      ...options,
    }).entries.map((entry) => entry.path);

  const table: readonly (readonly [
    says: string,
    path: string,
    options: Partial<SelectionOptions>,
    expected: readonly string[],
  ])[] = [
    [
      'headers of parents before what is included',
      '',
      { includePatterns: ['a/b/c'] },
      ['/a', '/a/b', '/a/b/c'],
    ],
    ['nothing of a directory that is excluded', '', { excludePatterns: ['a', 'l'] }, ['/e']],
    [
      'everything below what a negation takes back',
      '',
      { excludePatterns: ['a', '!a/b'] },
      ['/a', '/a/b', '/a/b/c', '/e', '/l'],
    ],
    [
      'what a wildcard matches with all below it',
      '/[ae]',
      { wildcard: true },
      ['/a', '/a/b', '/a/b/c', '/a/d', '/e'],
    ],
    ['paths below a link as they were asked for', '/l/*', { wildcard: true }, ['/l/b', '/l/b/c', '/l/d']],
    ['nothing for a wildcard without matches', '/q*', { wildcard: true }, []],
  ];
  for (const [says, path, options, expected] of table) {
    it(`selects ${says}`, () => expect(paths(path, options)).to.deep.equal(expected));
  }
});
