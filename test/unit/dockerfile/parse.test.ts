import { expect } from 'chai';
import fc from 'fast-check';
import { BuildError } from '../../../core/contracts/errors.js';
import { parseDockerfile } from '../../../plugins/frontends/dockerfile/instructions/parse-dockerfile.js';
import { detectSyntax } from '../../../plugins/frontends/dockerfile/parse/directives.js';
import { parse } from '../../../plugins/frontends/dockerfile/parse/parse.js';
import { runs } from '../../support/seed.js';

describe('dockerfile parser', () => {
  it('joins continued lines, skipping comments and empty lines between them', () => {
    const { nodes, emptyContinuations } = parse('RUN a \\\n # no\n\n  b\nRUN c\n');
    expect(
      nodes.map(({ original, ranges }) => [original, ranges.map(({ start }) => start.line)]),
    ).to.deep.equal([
      ['RUN a   b', [1, 2, 3, 4]],
      ['RUN c', [5]],
    ]);
    expect(emptyContinuations).to.deep.equal([4]);
  });

  it('does not continue after an escaped escape', () => {
    expect(parse('RUN a \\\\\nRUN b').nodes).to.have.length(2);
  });

  it('keeps the line ends of heredocs', () => {
    const [node] = parse('COPY <<A <<-"B" /\r\none\r\nA\r\n\t\ttwo\n\tB\n').nodes;
    expect(node?.heredocs).to.deep.equal([
      { name: 'A', expand: true, chomp: false, content: 'one\r\n' },
      { name: 'B', expand: false, chomp: true, content: '\t\ttwo\n' },
    ]);
  });

  it('reads heredocs behind ONBUILD, and none in exec form or in other instructions', () => {
    expect(parse('ONBUILD RUN <<E\nx\nE\n').nodes[0]?.heredocs).to.have.length(1);
    expect(parse('RUN ["<<E"]\nENV A=<<E\n').nodes).to.have.length(2);
  });

  it('falls back from broken JSON to words', () => {
    expect(parse('CMD ["a", ]\nCOPY ["a" b/').nodes.map(({ args, json }) => [args, json])).to.deep.equal([
      [['["a", ]'], false],
      [['["a"', 'b/'], false],
    ]);
  });

  for (const [name, text, ref, line] of [
    ['a comment', '# syntax = a/b:c some args\nFROM x', 'a/b:c some args', 1],
    ['a comment behind a shebang', '#!/usr/bin/env x\n#syntax=a\n', 'a', 2],
    ['a comment behind a byte order mark', '\uFEFF# syntax=a\n', 'a', 1],
    ['a slash comment', '// syntax=a\n{}', 'a', 1],
    ['JSON', '{ "syntax": "a" }', 'a', 0],
  ] as const) {
    it(`finds the syntax in ${name}`, () => {
      expect(detectSyntax(text)).to.deep.equal({ name: 'syntax', value: ref, line });
    });
  }

  it('finds no syntax below other lines', () => {
    expect(detectSyntax('\n# syntax=a')).to.equal(undefined);
    expect(detectSyntax('# hello\n# syntax=a')).to.equal(undefined);
  });

  it('never does anything but parse or refuse', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom(
        'FROM a',
        'RUN <<E',
        'E',
        '\\',
        'COPY a \\',
        '# escape=`',
        'ENV a="b',
        'ONBUILD ONBUILD',
        '\r',
        '{',
      ),
      fc
        .tuple(fc.constantFrom('RUN ', 'COPY ', 'ENV ', 'HEALTHCHECK '), fc.string())
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        try {
          parseDockerfile(lines.join('\n'));
        } catch (error) {
          expect(error).to.be.instanceOf(BuildError);
        }
      }),
      { numRuns: runs(500) },
    );
  });

  it('takes time in proportion to the input', () => {
    for (const unit of ['\\', ' \\ ', '"', '${a:-', "<<'", '--', '[', 'ONBUILD ', '\r', '\t ']) {
      const started = process.hrtime.bigint();
      try {
        parseDockerfile(`FROM a\nRUN ${unit.repeat(20_000)}\n`);
      } catch (error) {
        expect(error).to.be.instanceOf(BuildError);
      }
      expect(Number(process.hrtime.bigint() - started) / 1e6, unit).to.be.lessThan(2000);
    }
  });
});
