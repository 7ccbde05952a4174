import { expect } from 'chai';
import { matchesAny, parseFilter } from '../../../core/util/filter.js';

describe('parseFilter', () => {
  const fields: Readonly<Record<string, string>> = { id: 'abc', 'labels.a.b/c': 'x y', 'labels.os': 'linux' };
  const lookup = (path: readonly string[]): string | undefined => fields[path.join('.')];
  const cases: readonly [filter: string, matches: boolean][] = [
    ['', true],
    ['id', true],
    ['name', false],
    ['id==abc', true],
    ['id!=abc', false],
    ['id~=^a.c$', true],
    ['labels."a.b/c"=="x y"', true],
    ['labels.os==linux,id==abc', true],
    ['labels.os==linux,id==other', false],
  ];
  for (const [filter, matches] of cases) {
    it(`${filter || '(nothing)'} ${matches ? 'holds' : 'does not hold'}`, () =>
      expect(parseFilter(filter)(lookup)).to.equal(matches));
  }

  it('names the position of what it cannot read', () => {
    expect(() => parseFilter('id==a;b=c d')).to.throw(
      'filter "id==a;b=c d": expected "," or the end at character 10',
    );
    expect(() => parseFilter('==x')).to.throw('expected a field at character 1');
  });

  it('lets any of several filters decide', () => {
    expect(matchesAny([parseFilter('id==x'), parseFilter('id==abc')], lookup)).to.equal(true);
    expect(matchesAny([parseFilter('id==x')], lookup)).to.equal(false);
    expect(matchesAny([], lookup)).to.equal(true);
  });
});
