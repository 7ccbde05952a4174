import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { expect } from 'chai';
import { decompress, detectCompression } from '../../../../../core/util/compression/decompress.js';
import { compressZstdFrame } from '../../../../../core/util/compression/libzstd.js';

async function* inPieces(data: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}
async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

const frame = (data: Uint8Array, level: number): Buffer => Buffer.from(compressZstdFrame(data, level));

describe('decompress', () => {
  const data = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * at) % 251));

  it('tells formats by their first bytes', () => {
    const heads = [zlib.gzipSync(data), frame(data, 3), Buffer.from('BZh91AY'), Buffer.from('plain')];
    expect(heads.map(detectCompression)).to.deep.equal(['gzip', 'zstd', 'bzip2', 'none']);
  });

  it('reads gzip of several members', async () => {
    const members = Buffer.concat([zlib.gzipSync(data), zlib.gzipSync(data)]);
    expect(
      (await collect(decompress(inPieces(members, 7777), 'gzip'))).equals(Buffer.concat([data, data])),
    ).to.equal(true);
  });

  it('reads zstd of several frames, in whatever pieces they arrive', async () => {
    const frames = Buffer.concat([frame(data, 1), frame(data, 19)]);
    for (const size of [1, 1000, frames.length]) {
      const read = await collect(decompress(inPieces(frames, size), 'zstd'));
      expect(read.equals(Buffer.concat([data, data])), `${size} bytes a piece`).to.equal(true);
    }
  });

  it('finds a repetition megabytes back in a zstd frame, at the lowest level too', () => {
    const noise = randomBytes(3 << 20);
    expect(frame(Buffer.concat([noise, noise]), 1).length).to.be.below(1.1 * noise.length);
  });

  for (const [name, packed] of [
    ['gzip', zlib.gzipSync(data)],
    ['zstd', frame(data, 3)],
  ] as const) {
    it(`says so when ${name} data is cut or damaged`, async () => {
      const fails = (bytes: Uint8Array): Promise<boolean> =>
        collect(decompress(inPieces(bytes, 1000), name)).then(
          () => false,
          () => true,
        );
      const damaged = Buffer.from(packed).fill(0x55, 100, 200);
      expect([await fails(packed.subarray(0, -20)), await fails(damaged)]).to.deep.equal([true, true]);
    });
  }

  it('hands on a failure of its source', async () => {
    const source = (async function* () {
      yield zlib.gzipSync(data).subarray(0, 100);
      throw new Error('the disk is gone');
    })();
    const error = await collect(decompress(source, 'gzip')).catch((thrown) => thrown as Error);
    expect((error as Error).message).to.equal('the disk is gone');
  });
});
