import { expect } from 'chai';
import { readAhead } from '../../../../core/content/read-ahead.js';

const MIB = 1 << 20;
const signal = new AbortController().signal;

/** A file of `size` bytes, and a log of what is done with it. */
function open(size: number) {
  const log: string[] = [];
  const file = {
    async read(buffer: Buffer, _offset: number, length: number, position: number) {
      log.push(`read ${position}`);
      return { bytesRead: Math.max(0, Math.min(length, size - position)), buffer };
    },
    async close() {
      log.push('close');
    },
  };
  return { file: file as never, log };
}

describe('reading a blob ahead', () => {
  it('reads the next piece while one is dealt with', async () => {
    const { file, log } = open(2 * MIB + 5);
    for await (const piece of readAhead(file, 0, 2 * MIB + 5, signal)) log.push(`got ${piece.length}`);
    const second = [`read ${MIB}`, `got ${MIB}`, `read ${2 * MIB}`, `got ${MIB}`, 'got 5'];
    expect(log).to.deep.equal(['read 0', ...second, 'close']);
  });

  it('ends where the file does, and at the end of the range', async () => {
    const sizes: number[] = [];
    for await (const { length } of readAhead(open(10).file, 4, 100, signal)) sizes.push(length);
    for await (const { length } of readAhead(open(10).file, 4, 7, signal)) sizes.push(length);
    expect(sizes).to.deep.equal([6, 3]);
  });

  it('closes the file when its reader leaves', async () => {
    const { file, log } = open(3 * MIB);
    for await (const _ of readAhead(file, 0, 3 * MIB, signal)) break;
    expect(log.at(-1)).to.equal('close');
  });

  it('stops when it is aborted', async () => {
    const abort = new AbortController();
    const { file, log } = open(3 * MIB);
    const read = async (): Promise<void> => {
      for await (const _ of readAhead(file, 0, 3 * MIB, abort.signal)) abort.abort();
    };
    expect(await read().catch((error: unknown) => error)).to.include({ code: 'canceled' });
    expect(log.at(-1)).to.equal('close');
  });
});
