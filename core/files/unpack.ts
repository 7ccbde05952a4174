/**
 * Unpacks a source file that is an archive, as Docker's ADD does: plain tar or compressed with gzip, bzip2, xz or
 * zstd, told by content. The destination acts as the root of the archive: links in it lead nowhere else.
 * BuildKit: solver/llbsolver/file/unpack.go.
 */
import fs from 'node:fs';
import type { FileAction } from '../contracts/files.js';
import { decompress, detectCompression, type StreamCompression } from '../util/compression/decompress.js';
import { TarError, TarReader } from '../util/tar/tar-reader.js';
import type { LayerTree } from '../util/tree/layer-tree.js';
import type { LayerWriter } from '../util/tree/layer-writer.js';
import type { Owner } from '../util/tree/metadata.js';
import { resolvePath } from '../util/tree/resolve.js';
import { TarExtractor } from '../util/tree/tar-extractor.js';
import { makeDirs } from './make-dirs.js';
import { resolveSource } from './wildcards.js';

const CHUNK = 256 * 1024;

/** False when the path is no archive; then nothing was done. */
export async function unpackArchive(
  path: string,
  action: Extract<FileAction, { kind: 'copy' }>,
  source: LayerTree,
  writer: LayerWriter,
  owner: Owner | undefined,
): Promise<boolean> {
  const { node } = resolveSource(source, path, true);
  if (node?.kind !== 'file') return false;
  const compression = compressionOf(node.host);
  if (!(await startsLikeTar(node.host, compression))) return false;
  const dest = resolvePath(writer.tree, action.dest, { followLast: true }).path;
  const root = makeDirs(writer, dest, { mode: 0o755, owner, time: action.timestamp });
  const extractor = new TarExtractor(writer, root, { owner, implied: { mode: 0o755, owner } });
  const reader = new TarReader(extractor);
  for await (const chunk of decompress(read(node.host), compression)) reader.push(chunk);
  reader.end();
  extractor.finish();
  return true;
}

function compressionOf(host: string): StreamCompression {
  const head = Buffer.alloc(6);
  const fd = fs.openSync(host, 'r');
  try {
    fs.readSync(fd, head);
  } finally {
    fs.closeSync(fd);
  }
  return detectCompression(head);
}

/** The first entry can be read. */
async function startsLikeTar(host: string, compression: StreamCompression): Promise<boolean> {
  let found = false;
  const reader = new TarReader({
    entry() {
      found = true;
    },
    data() {},
    entryEnd() {},
  });
  try {
    for await (const chunk of decompress(read(host), compression)) {
      reader.push(chunk);
      if (found || reader.ended) break;
    }
  } catch (error) {
    // Content that cannot be decompressed or read as tar is a plain file; a missing program is not.
    if (!found && isMissingProgram(error)) throw error;
  }
  return found;
}

const isMissingProgram = (error: unknown): boolean =>
  !(error instanceof TarError) && error instanceof Error && error.message.includes('apt install');

async function* read(host: string): AsyncIterable<Uint8Array> {
  const fd = fs.openSync(host, 'r');
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      const size = fs.readSync(fd, buffer);
      if (size === 0) return;
      yield buffer.subarray(0, size);
    }
  } finally {
    fs.closeSync(fd);
  }
}
