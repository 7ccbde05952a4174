// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is the language under test
import { expect } from 'chai';
import fc from 'fast-check';
import { ExpandError } from '../../../plugins/frontends/dockerfile/expand/expand-error.js';
import {
  emptyEnvironment,
  expand,
  expandWords,
  type LexOptions,
} from '../../../plugins/frontends/dockerfile/expand/shell-lex.js';

const lex: LexOptions = { escapeToken: '\\' };
const env = new Map([
  ['A', 'value'],
  ['EMPTY', ''],
  ['PATHS', '/usr/local/bin'],
  ['ABC', 'abcabc'],
]);
const text = (word: string, options = lex): string => expand(word, env, options).text;

describe('dockerfile expansion', () => {
  const table: readonly (readonly [word: string, expected: string])[] = [
    ['$A ${A}', 'value value'],
    ['\\$A \\\\$A', '$A \\value'],
    [`'$A' "$A" "\\$A"`, '$A value $A'],
    ['${N:-def} ${N-def} ${EMPTY:-def} ${EMPTY-def}|', 'def def def |'],
    ['${A:+w} ${N:+w} ${EMPTY:+w} ${EMPTY+w}', 'w   w'],
    ['${N:-${A}} ${N:-"a b"}', 'value a b'],
    ['${PATHS#*/} ${PATHS##*/} ${PATHS%/*} ${PATHS%%/*}|', 'usr/local/bin bin /usr/local |'],
    ['${PATHS#/???} ${PATHS#nope}', '/local/bin /usr/local/bin'],
    ['${ABC/b/X} ${ABC//b/X} ${ABC/%z/} ${ABC//*/y}', 'aXcabc aXcaXc abcabc y'],
    ['${PATHS//\\//:}', ':usr:local:bin'],
    ['$ $1 ${1} $? a$', '$    a$'],
    ['${N}', ''],
  ];
  for (const [word, expected] of table) {
    it(`makes ${JSON.stringify(expected)} of ${word}`, () => expect(text(word)).to.equal(expected));
  }

  const errors: readonly (readonly [word: string, message: string])[] = [
    ['${N:?must be given}', 'N: must be given'],
    ['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
    ['${N?}', 'N: is not allowed to be unset'],
    ['${A', "syntax error: missing '}'"],
    ['${', "syntax error: missing '}'"],
    ['${}', 'syntax error: bad substitution'],
    ['${A:x}', 'unsupported modifier (:x) in substitution'],
    ['${A:#x}', 'unsupported modifier (:#) in substitution'],
    ['${A/x}', "syntax error: missing '/' in ${}"],
    ["'open", 'unexpected end of statement while looking for matching single-quote'],
    ['"open', 'unexpected end of statement while looking for matching double-quote'],
  ];
  for (const [word, message] of errors) {
    it(`refuses ${word}`, () => {
      expect(() => text(word)).to.throw(ExpandError, message);
    });
  }

  it('refuses nesting without end', () => {
    const word = `${'${N:-'.repeat(20_000)}x${'}'.repeat(20_000)}`;
    expect(() => text(word)).to.throw(ExpandError, 'nested too deeply');
  });

  it('cuts words after expansion, but not inside quotes', () => {
    const spaced = new Map([['S', 'x y']]);
    expect(expandWords('a$S "$S" b\\ c ""', spaced, lex)).to.deep.equal(['ax', 'y', 'x y', 'b c']);
  });

  it('keeps references to unset variables on request', () => {
    const options = { ...lex, skipUnset: true, rawQuotes: true };
    expect(text('"$A" ${N} $N ${N:-x} ${N#x} ${N/a/b}', options)).to.equal(
      '"value" ${N} $N ${N:-x} ${N#x} ${N/a/b}',
    );
  });

  it('tells which variables were read', () => {
    const { matched, unmatched } = expand('$A ${N} ${M:-$EMPTY}', env, lex);
    expect([[...matched], [...unmatched]]).to.deep.equal([
      ['A', 'EMPTY'],
      ['N', 'M'],
    ]);
  });

  // A word is built from pieces whose meaning is known; expansion must find just that meaning again.
  const plain = fc.stringMatching(/^[a-z0-9 /=.,é🎉-]*$/u);
  const piece = fc.oneof(
    plain.map((value) => [value, value]),
    plain.map((value) => [`'${value}$A"'`, `${value}$A"`]),
    plain.map((value) => [`"${value}'$A"`, `${value}'value`]),
    fc.constantFrom('$', '"', "'", '\\', 'x').map((value) => [`\\${value}`, value]),
    fc.constantFrom(['${A}', 'value'], ['${N:-d}', 'd'], ['${EMPTY:+w}', ''], ['${A%ue}', 'val']),
  );

  it('expands what it is composed of', () => {
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const word = pieces.map(([written]) => written).join('');
        expect(text(word)).to.equal(pieces.map(([, meant]) => meant).join(''));
      }),
    );
  });

  it('gives single-quoted text back unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const quoted = `'${value.replaceAll("'", `'"'"'`)}'`;
        expect(expand(quoted, emptyEnvironment, lex).text).to.equal(value);
      }),
    );
  });

  it('trims as the shortest and longest matching prefix say', () => {
    const abc = fc.stringMatching(/^[abc]{0,8}$/);
    fc.assert(
      fc.property(abc, fc.stringMatching(/^[abc*?]{0,4}$/), fc.boolean(), (value, pattern, longest) => {
        const matching = prefixes(value).filter((prefix) => matches(pattern, prefix));
        const best = longest ? matching.at(-1) : matching[0];
        const word = `\${V${longest ? '##' : '#'}${pattern}}`;
        const trimmed = expand(word, new Map([['V', value]]), lex).text;
        expect(trimmed).to.equal(best === undefined ? value : value.slice(best.length));
      }),
    );
  });
});

const prefixes = (value: string): string[] =>
  Array.from({ length: value.length + 1 }, (_, end) => value.slice(0, end));

/** The obvious matcher: a star takes any number of characters. */
function matches(pattern: string, value: string): boolean {
  if (pattern === '') return value === '';
  if (pattern[0] === '*')
    return matches(pattern.slice(1), value) || (value !== '' && matches(pattern, value.slice(1)));
  return (
    value !== '' &&
    (pattern[0] === '?' || pattern[0] === value[0]) &&
    matches(pattern.slice(1), value.slice(1))
  );
}
