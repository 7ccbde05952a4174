import { type Deferred, deferred } from '../util/deferred.js';

/** Bytes from a writer to one reader; the writer waits while more than `ahead` bytes lie there. */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #ahead: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  /** Settled when something changed for the reader, or the writer. */
  #arrived: Deferred<void> = deferred();
  #taken: Deferred<void> = deferred();

  constructor(ahead: number) {
    this.#ahead = ahead;
  }

  /** What comes after the end is dropped: nobody reads it. */
  async push(data: Uint8Array): Promise<void> {
    if (this.#ended) return;
    this.#chunks.push(data);
    this.#size += data.length;
    this.#arrived.resolve();
    while (this.#size > this.#ahead && !this.#ended) await this.#taken.promise;
  }

  /** The reader gets what is there, and then the end. */
  end(): void {
    this.#ended = true;
    this.#arrived.resolve();
    this.#taken.resolve();
  }

  /** The reader is gone. */
  close(): void {
    this.#chunks.length = 0;
    this.#size = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#size -= chunk.length;
        this.#taken.resolve();
        this.#taken = deferred();
        yield chunk;
      } else if (this.#ended) {
        return;
      } else {
        this.#arrived = deferred();
        await this.#arrived.promise;
      }
    }
  }
}
