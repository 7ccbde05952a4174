import type { ThreadTask } from '../../contracts/threads.js';
import { decompress, type StreamCompression } from '../../util/compression/decompress.js';
import type { Digest } from '../../util/digest.js';
import { TarReader } from '../../util/tar/tar-reader.js';
import { LayerUnpacker } from './layer-unpacker.js';
import { readBlob, readGrowing } from './read-blob.js';
import { StreamSums } from './stream-sums.js';

/** A blob that is there, or the open file of one that arrives: the task asks how far it has grown. */
export type LayerSource = { readonly file: string } | { readonly fd: number };

export interface LayerApplyArgs {
  readonly source: LayerSource;
  readonly compression: StreamCompression;
  /** Topmost first; the first one is written. */
  readonly layers: readonly string[];
}

const applyTask: ThreadTask<LayerApplyArgs, Digest> = async ({ source, compression, layers }, context) => {
  const report = (bytes: number): void => context.report(bytes);
  const grown = async (beyond: number): Promise<number> => (await context.ask(beyond)) as number;
  const blob = 'file' in source ? readBlob(source.file, report) : readGrowing(source.fd, grown, report);
  const sums = new StreamSums({ crc32: false });
  const unpacker = new LayerUnpacker(layers);
  const reader = new TarReader(unpacker);
  try {
    for await (const chunk of decompress(blob, compression)) {
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
