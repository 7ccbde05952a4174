import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from '../../../plugins/frontends/dockerfile/parse/parse.js';
import { readTree } from '../../../plugins/frontends/dockerfile/syntax-tree/read-tree.js';
import { printTree, type SyntaxTree } from '../../../plugins/frontends/dockerfile/syntax-tree/tree.js';
import { mutate } from '../../fuzz/dockerfile/mutate.js';
import { Random } from '../../simulation/random.js';
import { runs } from '../../support/seed.js';
import { loadFixtures } from './support/build-case.js';

const read = (text: string): SyntaxTree => readTree(Buffer.from(text));
const shape = (text: string): unknown[] =>
  read(text).items.map(({ kind, tokens }) => [kind, ...tokens.map((token) => `${token.kind}:${token.text}`)]);

/** The instructions of the tree are those of the parser, and printing gives the file back. */
function check(bytes: Uint8Array): void {
  const tree = readTree(bytes);
  expect(Buffer.compare(printTree(tree), bytes), 'printed').to.equal(0);
  const instructions = tree.items.filter(({ kind }) => kind === 'instruction');
  if (instructions.length === 0) return;
  const nodes = parse(Buffer.from(bytes).toString(tree.encoding)).nodes;
  const keyword = (item: SyntaxTree['items'][number]): string | undefined =>
    item.tokens.find(({ kind }) => kind === 'keyword')?.text;
  expect(instructions.map((item) => item.firstLine)).to.deep.equal(
    nodes.map(({ ranges }) => ranges[0]!.start.line),
  );
  for (const [index, item] of instructions.entries()) {
    const word = keyword(item);
    // A keyword may be cut by a continuation, and blanks of other scripts are part of it.
    if (word !== undefined && /^[a-z]+$/i.test(word)) {
      expect(nodes[index]!.keyword.startsWith(word), `${nodes[index]!.keyword} ${word}`).to.equal(true);
    }
  }
}

describe('dockerfile syntax tree', () => {
  it('has every part of a file', () => {
    expect(shape('# syntax=a\r\n\n# hi\n FROM a \\\n # in\n  AS b\n')).to.deep.equal([
      ['directive', 'comment:# syntax=a', 'newline:\r\n'],
      ['blank', 'newline:\n'],
      ['comment', 'comment:# hi', 'newline:\n'],
      [
        'instruction',
        ...['space: ', 'keyword:FROM', 'space: ', 'word:a', 'space: ', 'continuation:\\', 'newline:\n'],
        ...['comment: # in', 'newline:\n', 'space:  ', 'word:AS', 'space: ', 'word:b', 'newline:\n'],
      ],
    ]);
    expect(shape('COPY <<A <<B /\none\nA\nB\nRUN x').map((item) => (item as string[]).at(-1))).to.deep.equal([
      'heredoc:one\nA\nB\n',
      'word:x',
    ]);
  });

  it('keeps what no parser reads', () => {
    expect(shape('RUN <<EOF\nfor ever')).to.deep.equal([['unreadable', 'text:RUN <<EOF\nfor ever']]);
    check(Buffer.from('FROM a\nRUN \xff\xfe\n', 'latin1'));
    check(new Uint8Array());
  });

  it('prints every fixture as it is', () => {
    for (const { dockerfile } of loadFixtures()) check(Buffer.from(dockerfile));
  });

  it('prints whatever it is given as it was', () => {
    const seeds = loadFixtures().map(({ dockerfile }) => dockerfile);
    fc.assert(
      fc.property(fc.nat(), (seed) => check(Buffer.from(mutate(seeds, new Random(seed))))),
      { numRuns: runs(500) },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: runs(500) });
  });
});
