/**
 * Writes a layer as eStargz: gzip that can be read file by file. Facts: stargz-snapshotter docs/estargz.md.
 *
 * 1. The content of each file, in chunks of 4 MiB, begins a gzip member of its own; headers and padding follow in the
 *    member before. All members together are the tar as gzip would have it.
 * 2. Behind the end of the tar, as one more member, comes a table of contents: a tar of one JSON file, which says where
 *    in the blob each chunk begins and what its digest is. Readers of tar stop before it, but the diffId covers it.
 * 3. The last 51 bytes are an empty member whose header says where that table begins.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import zlib from 'node:zlib';
import { BuildError } from '../../contracts/errors.js';
import type { ThreadContext } from '../../contracts/threads.js';
import { type Digest, sha256 } from '../../util/digest.js';
import { tocDigestAnnotation } from '../../util/layer-annotations.js';
import { encodeHeader, TRAILER_SIZE } from '../../util/tar/encode.js';
import { padded } from '../../util/tar/header.js';
import { gzipHeader, gzipTrailer } from './compress-block.js';
import { footer, TOC_NAME, type TocEntry, tocEntry, tocHeader } from './estargz-toc.js';
import { readContent } from './render.js';
import { StreamSums } from './stream-sums.js';
import { contentSize, encodeItem, headerOfItem, type PlanItem } from './tar-plan.js';
import type { WrittenLayer } from './write-layer.js';

const CHUNK = 4 << 20;
/** Headers without content between them also end a member, so that memory stays bounded. */
const MEMBER = 8 << 20;

const uncompressedSizeAnnotation = 'io.containers.estargz.uncompressed-size';

export function writeEstargz(
  items: readonly PlanItem[],
  level: number,
  output: string,
  context: ThreadContext,
): WrittenLayer {
  const fd = fs.openSync(output, 'w');
  try {
    const writer = new EstargzWriter(fd, level);
    for (const item of items) {
      context.throwIfAborted();
      writer.add(item);
      context.report(writer.done);
    }
    return writer.finish();
  } finally {
    fs.closeSync(fd);
  }
}

class EstargzWriter {
  readonly #fd: number;
  readonly #level: number;
  readonly #plain = new StreamSums({ crc32: false });
  readonly #packed = new StreamSums({ crc32: false });
  readonly #entries: TocEntry[] = [];
  #member: Buffer[] = [];
  #memberSize = 0;

  constructor(fd: number, level: number) {
    this.#fd = fd;
    this.#level = level;
  }

  /** Uncompressed bytes so far. */
  get done(): number {
    return this.#plain.size;
  }

  add(item: PlanItem): void {
    const header = headerOfItem(item);
    if (header?.name.replace(/^(?:\.?\/)+/, '') === TOC_NAME) {
      throw new BuildError(
        'layer.estargz',
        `a layer with a file /${TOC_NAME} cannot be compressed as estargz`,
        {
          hint: 'The format keeps this name for itself.',
        },
      );
    }
    this.#append(encodeItem(item));
    const size = contentSize(item);
    if (header?.type === 'file' && size > 0) this.#addContent(item, tocEntry(header), size);
    else if (header)
      this.#entries.push(header.type === 'file' ? emptyFile(tocEntry(header)) : tocEntry(header));
  }

  finish(): WrittenLayer {
    this.#endMember();
    const tocOffset = this.#packed.size;
    const toc = Buffer.from(JSON.stringify({ version: 1, entries: this.#entries }, undefined, '\t'));
    const padding = Buffer.alloc(padded(toc.length) - toc.length + TRAILER_SIZE);
    for (const bytes of [encodeHeader(tocHeader(toc.length)), toc, padding]) this.#append(bytes);
    this.#endMember();
    this.#write(footer(tocOffset));
    const { digest: diffId, size: uncompressed } = this.#plain.finish();
    const { digest, size } = this.#packed.finish();
    const annotations = {
      [tocDigestAnnotation]: sha256(toc),
      [uncompressedSizeAnnotation]: String(uncompressed),
    };
    return { digest, size, diffId, annotations };
  }

  /** Rule 1. */
  #addContent(item: PlanItem, entry: TocEntry, size: number): void {
    const whole = createHash('sha256');
    const chunks: TocEntry[] = [];
    for (let at = 0; at < size; at += CHUNK) {
      this.#endMember();
      const data = readContent(item, at, Math.min(CHUNK, size - at));
      whole.update(data);
      const full = data.length === CHUNK;
      chunks.push({
        ...(at === 0 ? entry : { name: entry.name, type: 'chunk', chunkOffset: at }),
        offset: this.#packed.size,
        ...(full ? { chunkSize: CHUNK } : {}),
        chunkDigest: sha256(data),
      });
      this.#append(data);
    }
    const [first, ...more] = chunks;
    this.#entries.push({ ...first!, digest: `sha256:${whole.digest('hex')}` }, ...more);
    this.#append(Buffer.alloc(padded(size) - size));
  }

  #append(bytes: Buffer): void {
    this.#plain.update(bytes);
    this.#member.push(bytes);
    this.#memberSize += bytes.length;
    if (this.#memberSize >= MEMBER) this.#endMember();
  }

  #endMember(): void {
    if (this.#memberSize === 0) return;
    const data = Buffer.concat(this.#member);
    this.#member = [];
    this.#memberSize = 0;
    this.#write(gzipHeader(this.#level));
    this.#write(zlib.deflateRawSync(data, { level: this.#level }));
    this.#write(gzipTrailer(zlib.crc32(data), data.length));
  }

  #write(data: Uint8Array): void {
    this.#packed.update(data);
    for (let at = 0; at < data.length; ) at += fs.writeSync(this.#fd, data, at);
  }
}

const nothing: Digest = sha256(Buffer.alloc(0));

const emptyFile = (entry: TocEntry): TocEntry => ({ ...entry, digest: nothing });
