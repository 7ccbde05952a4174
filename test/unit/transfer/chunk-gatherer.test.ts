import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { ChunkGatherer } from '../../../core/transfer/chunk-gatherer.js';

describe('gathered chunks', () => {
  let pieces: Buffer[];
  let gatherer: ChunkGatherer;
  beforeEach(() => {
    pieces = [];
    gatherer = new ChunkGatherer((piece) => pieces.push(Buffer.from(piece)));
  });

  it('leave as one piece at the end of the turn', async () => {
    for (let i = 0; i < 10_000; i++) gatherer.add(Buffer.from([i]));
    expect(pieces).to.have.length(0);
    await setImmediate();
    expect(pieces.map(({ length }) => length)).to.deep.equal([10_000]);
    expect(pieces[0]?.[300]).to.equal(300 & 0xff);
  });

  it('leave at once when they are many bytes', () => {
    for (let i = 0; i < 64; i++) gatherer.add(Buffer.alloc(16 << 10));
    expect(pieces.map(({ length }) => length)).to.deep.equal(Array(4).fill(256 << 10));
  });

  it('have memory of their own', () => {
    const chunk = Buffer.from('abc');
    const owned: Uint8Array[] = [];
    const own = new ChunkGatherer((piece) => owned.push(piece));
    own.add(chunk);
    own.flush();
    expect(owned[0]?.buffer).not.to.equal(chunk.buffer);
    expect(owned[0]?.buffer.byteLength).to.equal(3);
  });

  it('leave once', async () => {
    gatherer.add(Buffer.from('abc'));
    gatherer.flush();
    gatherer.flush();
    await setImmediate();
    expect(pieces).to.have.length(1);
  });
});
