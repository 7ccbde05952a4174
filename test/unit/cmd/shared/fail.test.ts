import { expect } from 'chai';
import { report } from '../../../../cmd/shared/fail.js';
import { BuildError, type SourceRange } from '../../../../core/contracts/errors.js';

function printed(ranges: readonly SourceRange[]): string {
  let text = '';
  const info = { filename: 'Dockerfile', data: Buffer.from('FROM a\nRUNN x\n') };
  const error = new BuildError('test.failed', 'it failed', { details: [{ type: 'source', info, ranges }] });
  report(error, '', (part) => {
    text += part;
  });
  return text;
}

const rule = '-'.repeat(20);

describe('errors of programs', () => {
  it('come with the lines that they are about', () => {
    const whole = { start: { line: 2, character: 0 }, end: { line: 2, character: 0 } };
    expect(printed([whole])).to.equal(
      `Dockerfile:2\n${rule}\n   1 |     FROM a\n   2 | >>> RUNN x\n   3 |     \n${rule}\nerror: it failed\n`,
    );
  });

  it('point at the part of a line that is meant', () => {
    const word = { start: { line: 2, character: 0 }, end: { line: 2, character: 4 } };
    expect(printed([word])).to.contain('   2 | >>> RUNN x\n     |     ^^^^\n');
  });
});
