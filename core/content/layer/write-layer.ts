/** Writes a planned layer from one thread: small layers, and those that need no compression. */
import fs from 'node:fs';
import type { ThreadContext } from '../../contracts/threads.js';
import type { Digest } from '../../util/digest.js';
import { type BlockSettings, compressBlock, gzipHeader, gzipTrailer } from './compress-block.js';
import { renderRange } from './render.js';
import { StreamSums } from './stream-sums.js';
import type { PlanBlock } from './tar-plan.js';

export interface WrittenLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  /** What the layer's descriptor says beyond that. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Reports the uncompressed bytes done so far. */
export function writeLayer(
  blocks: readonly PlanBlock[],
  settings: BlockSettings,
  output: string,
  context: ThreadContext,
): WrittenLayer {
  const gzip = settings.type === 'gzip';
  const plain = new StreamSums({ crc32: gzip });
  const packed = new StreamSums({ crc32: false });
  const fd = fs.openSync(output, 'w');
  const write = (data: Uint8Array): void => {
    packed.update(data);
    for (let at = 0; at < data.length; ) at += fs.writeSync(fd, data, at);
  };
  let done = 0;
  try {
    if (gzip) write(gzipHeader(settings.level));
    for (const block of blocks) {
      context.throwIfAborted();
      const data = renderRange(block);
      plain.update(data.subarray(block.lead));
      write(compressBlock(data, block, settings));
      done += block.length - block.lead;
      context.report(done);
    }
    const sums = plain.finish();
    if (gzip) write(gzipTrailer(sums.crc32, sums.size));
    const { digest, size } = packed.finish();
    return { digest, size, diffId: sums.digest };
  } finally {
    fs.closeSync(fd);
  }
}
