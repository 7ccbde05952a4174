import { expect } from 'chai';
import fc from 'fast-check';
import { PatternMatcher } from '../../../../../core/util/patterns/pattern-matcher.js';

const matches = (patterns: readonly string[], path: string): boolean =>
  new PatternMatcher(patterns).matches(path);

describe('PatternMatcher', () => {
  const table: readonly (readonly [patterns: readonly string[], path: string, expected: boolean])[] = [
    [['a'], 'a', true],
    [['a'], 'a/b', true],
    [['a'], 'ab', false],
    [['a/'], 'a/b', true],
    [['/a'], 'a', false],
    [['./a'], 'a', true],
    [['*'], '.hidden', true],
    [['*'], 'a/b', true],
    [['*/b'], 'a/b', true],
    [['*/b'], 'b', false],
    [['**'], 'a/b/c', true],
    [['**'], '.', false],
    [['**/b'], 'b', true],
    [['**/b'], 'a/x/b', true],
    [['**/b'], 'a/xb', false],
    [['**b'], 'a/xb', true],
    [['a/**'], 'a', false],
    [['a/**'], 'a/b', true],
    [['a**'], 'abc/d', true],
    [['a/**/b'], 'a/b', true],
    [['a/**/b'], 'a/x/y/b', true],
    [['a?c'], 'a/c', false],
    [['a.c'], 'abc', false],
    [['a[b-d]'], 'ac', true],
    [['a[^b-d]'], 'ac', false],
    [['a\\*'], 'a*', true],
    [['a\\*'], 'ab', false],
    [['a', '!a/b'], 'a/b', false],
    [['a', '!a/b'], 'a/b/c', false],
    [['a', '!a/b'], 'a/c', true],
    [['a', '!a/b', 'a/b/c'], 'a/b/c', true],
    [['!a', 'a'], 'a', true],
    [['a', '!/a'], 'a', true],
    [['*', '!**/*.ts'], 'src/deep/x.ts', false],
    [['  a  ', ''], 'a', true],
    [['a^b'], 'a^b', true],
    [['a^b*'], 'a^b', false],
  ];
  for (const [patterns, path, expected] of table) {
    it(`${JSON.stringify(patterns)} ${expected ? 'matches' : 'does not match'} ${path}`, () => {
      expect(matches(patterns, path)).to.equal(expected);
    });
  }

  for (const bad of ['[', 'a[]', '[a-]', 'a\\', '!']) {
    it(`refuses ${bad} and names it`, () => {
      expect(() => new PatternMatcher([bad])).to.throw(`"${bad}"`);
    });
  }

  it('agrees with a naive expression for star, question mark and double star', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', '*', '?', 'a*', '*b');
    const pattern = fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([parts, deep]) => (deep ? `x/**/${parts.join('/')}` : parts.join('/')));
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab', 'x', 'bb'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(pattern, path, (glob, name) => {
        expect(matches([glob], name), `${glob} on ${name}`).to.equal(naive(glob, name));
      }),
    );
  });

  it('answers the same step by step down a walk as for the whole path', () => {
    const part = fc.constantFrom('a', 'b', '*', '**', 'a*');
    const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const name = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), name, (patterns, parts) => {
        const matcher = new PatternMatcher(patterns);
        let result = matcher.step(parts[0]!, undefined);
        for (let end = 2; end <= parts.length; end++) {
          result = matcher.step(parts.slice(0, end).join('/'), result.state);
        }
        expect(result.matched).to.equal(matcher.matches(parts.join('/')));
      }),
    );
  });

  it('never calls a directory done while something below it can match', () => {
    const part = fc.constantFrom('a', 'b', '*', '**', 'a?', '[ab]');
    const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const name = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(pattern, name, (glob, parts) => {
        const matcher = new PatternMatcher([glob]);
        const dir = parts[0]!;
        const below = parts.join('/');
        if (matcher.matches(below) && !matcher.matches(dir))
          expect(matcher.mayIncludeBelow(dir)).to.equal(true);
      }),
    );
  });

  it('lets a walk skip what no negation can reach', () => {
    const matcher = new PatternMatcher(['vendor', 'docs', '!docs/*.md']);
    expect([matcher.mayNegateBelow('vendor'), matcher.mayNegateBelow('docs')]).to.deep.equal([false, true]);
  });
});

function naive(glob: string, path: string): boolean {
  const body = glob
    .split('/')
    .map((part) => (part === '**' ? '\0' : part.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')))
    .join('/')
    .replaceAll('\0/', '(?:.*/)?');
  return new RegExp(`^${body}(?:/.*)?$`).test(path);
}
