import type { ThreadTask } from '../../contracts/threads.js';
import { decompress, type StreamCompression } from '../../util/compression/decompress.js';
import type { Digest } from '../../util/digest.js';
import { TarReader } from '../../util/tar/tar-reader.js';
import { LayerUnpacker } from './layer-unpacker.js';
import { readBlob } from './read-blob.js';
import { StreamSums } from './stream-sums.js';

export interface LayerApplyArgs {
  readonly blob: string;
  readonly compression: StreamCompression;
  /** Topmost first; the first one is written. */
  readonly layers: readonly string[];
}

const applyTask: ThreadTask<LayerApplyArgs, Digest> = async (args, context) => {
  const report = (bytes: number): void => context.report(bytes);
  const sums = new StreamSums({ crc32: false });
  const unpacker = new LayerUnpacker(args.layers);
  const reader = new TarReader(unpacker);
  try {
    for await (const chunk of decompress(readBlob(args.blob, report), args.compression)) {
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
