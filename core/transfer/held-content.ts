import { createHash } from 'node:crypto';
import type { FileStat } from '../contracts/refs.js';
import { tarsumHeader } from '../util/tarsum.js';
import type { IncomingFile } from './tree-writer.js';

/** Content that arrives to be compared, kept in memory in case it has to be written after all. */
export class HeldContent implements IncomingFile {
  readonly #hash;
  readonly #chunks: Uint8Array[] = [];
  size = 0;

  constructor(stat: FileStat) {
    this.#hash = createHash('sha256').update(tarsumHeader(stat));
  }

  write(data: Uint8Array): void {
    this.#hash.update(data);
    this.#chunks.push(data);
    this.size += data.length;
  }

  close(): string {
    return this.#hash.digest('hex');
  }

  moveTo(file: IncomingFile): void {
    for (const chunk of this.#chunks.splice(0)) file.write(chunk);
  }
}
