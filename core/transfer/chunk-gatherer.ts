/**
 * Makes few large pieces of many small ones: HTTP/2 frames have 16 KiB at most, often a hundred bytes, and each message
 * to another thread costs more than copying that. What came in one turn of the event loop leaves with it, so nothing
 * waits for company.
 */

/** A piece is handed over when it has grown to this size. */
const PIECE = 256 << 10;

export class ChunkGatherer {
  readonly #take: (piece: Uint8Array<ArrayBuffer>) => void;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #timer: NodeJS.Immediate | undefined;

  /** `take` gets memory of its own, which it may hand to a thread. */
  constructor(take: (piece: Uint8Array<ArrayBuffer>) => void) {
    this.#take = take;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= PIECE) this.flush();
    else this.#timer ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    if (this.#size === 0) return;
    const piece = Buffer.allocUnsafeSlow(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      piece.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    this.#size = 0;
    this.#take(piece);
  }
}
