import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Digest } from '../../util/digest.js';

export interface Sums {
  readonly digest: Digest;
  /** Of everything, as gzip's trailer wants it. */
  readonly crc32: number;
  readonly size: number;
}

/** Digest, checksum and length of a stream while it passes. */
export class StreamSums {
  readonly #hash = createHash('sha256');
  readonly #wantsCrc: boolean;
  #crc = 0;
  #size = 0;

  constructor(options: { readonly crc32: boolean }) {
    this.#wantsCrc = options.crc32;
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
    if (this.#wantsCrc) this.#crc = crc32(data, this.#crc);
    this.#size += data.length;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Once, at the end. */
  finish(): Sums {
    return { digest: `sha256:${this.#hash.digest('hex')}`, crc32: this.#crc, size: this.#size };
  }
}
