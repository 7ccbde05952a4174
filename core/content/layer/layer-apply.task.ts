import fs from 'node:fs';
import type { ThreadContext, ThreadTask } from '../../contracts/threads.js';
import { decompress, type StreamCompression } from '../../util/compression/decompress.js';
import type { Digest } from '../../util/digest.js';
import { TarReader } from '../../util/tar/tar-reader.js';
import { LayerUnpacker } from './layer-unpacker.js';
import { StreamSums } from './stream-sums.js';

export interface LayerApplyArgs {
  readonly blob: string;
  readonly compression: StreamCompression;
  /** Topmost first; the first one is written. */
  readonly layers: readonly string[];
}

const CHUNK = 256 * 1024;

const applyTask: ThreadTask<LayerApplyArgs, Digest> = async (args, context) => {
  const sums = new StreamSums({ crc32: false });
  const unpacker = new LayerUnpacker(args.layers);
  const reader = new TarReader(unpacker);
  try {
    for await (const chunk of decompress(read(args.blob, context), args.compression)) {
      context.throwIfAborted();
      sums.update(chunk);
      reader.push(chunk);
    }
    reader.end();
    unpacker.finish();
  } finally {
    unpacker.close();
  }
  return sums.finish().digest;
};
export default applyTask;

/** Reports the bytes read so far. */
async function* read(file: string, context: ThreadContext): AsyncIterable<Uint8Array> {
  const fd = fs.openSync(file, 'r');
  let done = 0;
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      const size = fs.readSync(fd, buffer);
      if (size === 0) return;
      done += size;
      context.report(done);
      yield buffer.subarray(0, size);
    }
  } finally {
    fs.closeSync(fd);
  }
}
