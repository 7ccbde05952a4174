/** Expansion and ignore files against models that are too simple to be wrong. */
import { expect } from 'chai';
import fc from 'fast-check';
import { parseIgnoreFile } from '../../../core/util/patterns/ignore-file.js';
import { PatternMatcher } from '../../../core/util/patterns/pattern-matcher.js';
import { expand } from '../../../plugins/frontends/dockerfile/expand/shell-lex.js';
import { runs } from '../../support/seed.js';

type Word = readonly Piece[];
type Piece =
  | { readonly kind: 'plain' | 'single' | 'escaped'; readonly text: string }
  | { readonly kind: 'double'; readonly word: Word }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'choice'; readonly name: string; readonly operator: string; readonly word: Word }
  | {
      readonly kind: 'replace';
      readonly name: string;
      readonly what: string;
      readonly by: string;
      readonly all: boolean;
    };

const env = new Map([
  ['A', 'value'],
  ['B', 'one two'],
  ['E', ''],
]);

const name = fc.constantFrom('A', 'B', 'E', 'UNSET', 'X_1');
const plain = fc.stringMatching(/^[a-z0-9 .,é🎉-]{1,6}$/u);
const { word } = fc.letrec<{ piece: Piece; word: Word; inner: Piece }>((tie) => ({
  inner: fc.oneof(
    { depthSize: 'small' },
    fc.record({ kind: fc.constant('plain' as const), text: plain }),
    fc.record({ kind: fc.constant('variable' as const), name }),
    fc.record({
      kind: fc.constant('choice' as const),
      name,
      operator: fc.constantFrom(':-', '-', ':+', '+'),
      word: tie('word'),
    }),
    fc.record({
      kind: fc.constant('replace' as const),
      name,
      what: fc.constantFrom('a', 'e', 'lu', 'zz', ' '),
      by: fc.constantFrom('', 'x', 'yy'),
      all: fc.boolean(),
    }),
  ),
  piece: fc.oneof(
    { depthSize: 'small' },
    tie('inner'),
    fc.record({ kind: fc.constant('single' as const), text: fc.stringMatching(/^[a-z$" {}\\]{0,5}$/) }),
    fc.record({ kind: fc.constant('escaped' as const), text: fc.constantFrom('$', '"', "'", '\\', ' ') }),
    fc.record({ kind: fc.constant('double' as const), word: fc.array(tie('inner'), { maxLength: 3 }) }),
  ),
  word: fc.array(tie('piece'), { maxLength: 4 }),
}));

const write = (pieces: Word): string => pieces.map(writePiece).join('');

function writePiece(piece: Piece): string {
  switch (piece.kind) {
    case 'plain':
      return piece.text;
    case 'single':
      return `'${piece.text}'`;
    case 'escaped':
      return `\\${piece.text}`;
    case 'double':
      return `"${write(piece.word)}"`;
    case 'variable':
      return `\${${piece.name}}`;
    case 'choice':
      return `\${${piece.name}${piece.operator}${write(piece.word)}}`;
    case 'replace':
      return `\${${piece.name}/${piece.all ? '/' : ''}${piece.what}/${piece.by}}`;
  }
}

const mean = (pieces: Word): string => pieces.map(meanPiece).join('');

function meanPiece(piece: Piece): string {
  switch (piece.kind) {
    case 'plain':
    case 'single':
    case 'escaped':
      return piece.text;
    case 'double':
      return mean(piece.word);
    case 'variable':
      return env.get(piece.name) ?? '';
    case 'choice':
      return choose(piece);
    case 'replace': {
      const value = env.get(piece.name) ?? '';
      return piece.all ? value.replaceAll(piece.what, piece.by) : value.replace(piece.what, piece.by);
    }
  }
}

function choose(piece: Extract<Piece, { readonly kind: 'choice' }>): string {
  const value = env.get(piece.name);
  const counts = piece.operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  if (piece.operator.endsWith('-')) return counts ? value! : mean(piece.word);
  return counts ? mean(piece.word) : '';
}

/** Every variable that is written is read, wanted or not. */
const namesIn = (pieces: Word): string[] =>
  pieces.flatMap((piece) => [
    ...('name' in piece ? [piece.name] : []),
    ...('word' in piece ? namesIn(piece.word) : []),
  ]);

describe('dockerfile expansion, against a model', () => {
  it('means what its pieces mean, however they are nested', () => {
    fc.assert(
      fc.property(word, (pieces) => {
        const { text, matched, unmatched } = expand(write(pieces), env, { escapeToken: '\\' });
        expect(text).to.equal(mean(pieces));
        const names = [...new Set(namesIn(pieces))].sort();
        expect([...matched].sort()).to.deep.equal(names.filter((each) => env.has(each)));
        expect([...unmatched].sort()).to.deep.equal(names.filter((each) => !env.has(each)));
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe('.dockerignore, against a model', () => {
  const part = fc.constantFrom('a', 'b', 'ab', '*', '**', '?', 'a*');
  const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const line = fc.oneof(
    { weight: 5, arbitrary: pattern },
    { weight: 2, arbitrary: pattern.map((text) => `!${text}`) },
    pattern.map((text) => `/${text}`),
    pattern.map((text) => `  ${text}/  `),
    fc.constantFrom('', '# a', '   '),
  );
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'x'), { minLength: 1, maxLength: 4 });

  it('lets the last line that names a path or a folder of it decide', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), path, (lines, parts) => {
        const matcher = new PatternMatcher(parseIgnoreFile(lines.join('\n')));
        expect(matcher.matches(parts.join('/'))).to.equal(isIgnored(lines, parts));
      }),
      { numRuns: runs(1000) },
    );
  });
});

function isIgnored(lines: readonly string[], parts: readonly string[]): boolean {
  const rules = lines.map((text) => text.trim()).filter((text) => text !== '' && !text.startsWith('#'));
  const last = rules.findLast((rule) => {
    const glob = rule.replace(/^!/, '').replace(/^\//, '').replace(/\/$/, '');
    return parts.some((_, index) => matches(glob.split('/'), parts.slice(0, index + 1)));
  });
  return last !== undefined && !last.startsWith('!');
}

/** Part by part; a double star stands for any number of parts, at the end for one at least. */
function matches(glob: readonly string[], parts: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return parts.length === 0;
  if (first === '**' && rest.length === 0) return parts.length > 0;
  if (first === '**') return matches(rest, parts) || (parts.length > 0 && matches(glob, parts.slice(1)));
  const [part, ...others] = parts;
  return part !== undefined && matchesPart(first, part) && matches(rest, others);
}

const matchesPart = (glob: string, part: string): boolean =>
  new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(part);
