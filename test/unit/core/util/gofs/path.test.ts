import { expect } from 'chai';
import { baseOf, cleanPath, dirOf, joinPath, rootedPath } from '../../../../../core/util/gofs/path.js';

describe('Go paths', () => {
  it('cleans', () => {
    const given = ['', '.', './', 'a/', '/a/', 'a//b', 'a/../..', '/..', '//a', './a', 'a/./b'];
    expect(given.map(cleanPath)).to.deep.equal([
      '.',
      '.',
      '.',
      'a',
      '/a',
      'a/b',
      '..',
      '/',
      '/a',
      'a',
      'a/b',
    ]);
  });
  it('joins what is not empty', () => {
    expect([joinPath('', ''), joinPath('a', '', 'b/'), joinPath('/', '../a')]).to.deep.equal([
      '',
      'a/b',
      '/a',
    ]);
  });
  it('roots a path without letting it out', () => {
    expect(['a', '../../a', '/', ''].map(rootedPath)).to.deep.equal(['/a', '/a', '/', '/']);
  });
  it('splits', () => {
    expect(['/a/b', '/a', 'a', ''].map(dirOf)).to.deep.equal(['/a', '/', '.', '.']);
    expect(['/a/b/', '/', '', 'x'].map(baseOf)).to.deep.equal(['b', '/', '.', 'x']);
  });
});
