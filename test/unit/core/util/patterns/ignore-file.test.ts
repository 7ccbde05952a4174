import { expect } from 'chai';
import { parseIgnoreFile } from '../../../../../core/util/patterns/ignore-file.js';

describe('parseIgnoreFile', () => {
  it('drops comments and blanks, trims, cleans and takes leading slashes away', () => {
    const text = '\uFEFF# note\n\n  /a/b/ \n!/keep\n! spaced\n #not a comment\na//b/../c\r\n/\n.\n!\n';
    expect(parseIgnoreFile(text)).to.deep.equal([
      'a/b',
      '!keep',
      '!spaced',
      '#not a comment',
      'a/c',
      '/',
      '.',
      '!',
    ]);
  });
});
