import type { ThreadTask } from '../../contracts/threads.js';
import { decompress, type StreamCompression } from '../../util/compression/decompress.js';
import { TarReader } from '../../util/tar/tar-reader.js';
import { readBlob } from './read-blob.js';

export interface LayerNamesArgs {
  readonly blob: string;
  readonly compression: StreamCompression;
}

const namesTask: ThreadTask<LayerNamesArgs, readonly string[]> = async ({ blob, compression }, context) => {
  const names: string[] = [];
  const reader = new TarReader({
    entry({ name }) {
      names.push(name);
    },
    data() {},
    entryEnd() {},
  });
  for await (const chunk of decompress(readBlob(blob), compression)) {
    context.throwIfAborted();
    reader.push(chunk);
    if (reader.ended) break;
  }
  return names;
};
export default namesTask;
