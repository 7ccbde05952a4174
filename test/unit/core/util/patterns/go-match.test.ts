import { expect } from 'chai';
import { goMatch, hasWildcards } from '../../../../../core/util/patterns/go-match.js';

describe('goMatch', () => {
  const table: readonly (readonly [pattern: string, name: string, expected: boolean])[] = [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[^c]', 'abc', false],
    ['a[^a]b', 'a/b', true],
    ['*[^a]*b', 'c/db', false],
    ['[a-ζ]*', 'α', true],
    ['a\\*b', 'a*b', true],
    ['a???b', 'aαaαb', true],
    ['', '', true],
    ['', 'a', false],
  ];
  for (const [pattern, name, expected] of table) {
    it(`"${pattern}" ${expected ? 'matches' : 'does not match'} "${name}"`, () => {
      expect(goMatch(pattern, name)).to.equal(expected);
    });
  }

  for (const bad of ['[]a]', '[-]', '[x-]', '[-x]', '\\', '[a-b-c]', '[', '[^', 'a[']) {
    it(`refuses ${bad} whatever the name is`, () => {
      expect(() => goMatch(bad, 'zzz')).to.throw('syntax error in pattern');
    });
  }

  it('sees wildcards unless they are escaped', () => {
    expect(['a*', 'a?', '[a]', 'a\\*', 'a'].map(hasWildcards)).to.deep.equal([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
