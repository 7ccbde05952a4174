import { expect } from 'chai';
import { collect, parts } from '../../../core/util/chunks.js';

const chunksOf = (...texts: readonly string[]): Uint8Array[] => texts.map((text) => Buffer.from(text));

describe('chunks of bytes', () => {
  it('are collected in order', async () => {
    expect(String(await collect(chunksOf('ab', '', 'c')))).to.equal('abc');
  });

  it('are not collected beyond a limit, and the rest is left unread', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void, void> {
      for (;;) {
        read += 10;
        yield new Uint8Array(10);
      }
    }
    expect([await collect(endless(), 25), read]).to.deep.equal([undefined, 30]);
    expect((await collect(chunksOf('abc'), 3))?.length).to.equal(3);
  });

  for (const [texts, expected] of [
    [['abcdefgh'], ['abc', 'def', 'gh']],
    [
      ['a', 'b', 'cd', '', 'e'],
      ['abc', 'de'],
    ],
    [
      ['abc', 'def'],
      ['abc', 'def'],
    ],
    [[], []],
  ] as const) {
    it(`make pieces of one size: ${JSON.stringify(texts)} is ${JSON.stringify(expected)}`, async () => {
      const made: string[] = [];
      for await (const part of parts(chunksOf(...texts), 3)) made.push(String(part));
      expect(made).to.deep.equal(expected);
    });
  }
});
