import fs from 'node:fs';
import type { ThreadTask } from '../../contracts/threads.js';
import { decompress, type StreamCompression } from '../../util/compression/decompress.js';
import { readBlob } from './read-blob.js';
import { StreamSums, type Sums } from './stream-sums.js';

export interface LayerInflateArgs {
  readonly blob: string;
  readonly compression: StreamCompression;
  /** Gets the uncompressed bytes. */
  readonly output: string;
}

const inflateTask: ThreadTask<LayerInflateArgs, Sums> = async (args, context) => {
  const sums = new StreamSums({ crc32: false });
  const fd = fs.openSync(args.output, 'w');
  try {
    for await (const chunk of decompress(readBlob(args.blob), args.compression)) {
      context.throwIfAborted();
      sums.update(chunk);
      for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
    }
  } finally {
    fs.closeSync(fd);
  }
  return sums.finish();
};
export default inflateTask;
