/**
 * The worker's end of a transfer: bytes of the call come in and go out through a MessagePort, each direction with
 * a bound on what is under way. The main thread's end is stream-transfer.ts.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { BuildError } from '../contracts/errors.js';

/** What the main thread sends. */
export type ToWorker =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** The other side has ended its half. */
  | { readonly type: 'end' }
  /** So many of the bytes sent have left. */
  | { readonly type: 'sent'; readonly bytes: number }
  | { readonly type: 'failed'; readonly message: string };

/** What the worker sends. */
export type ToMain =
  | { readonly type: 'frames'; readonly bytes: Uint8Array }
  /** So many of the bytes received are dealt with. */
  | { readonly type: 'taken'; readonly bytes: number };

/** What was taken is told in steps of this size, well below what the other side lets lie. */
const TELL = 1 << 20;

/** How far a worker may be ahead of the stream. */
const AHEAD = 4 << 20;

export class PortChannel implements Disposable {
  readonly #port: MessagePort;
  readonly #chunks: Buffer[] = [];
  #ended = false;
  #underway = 0;
  #untold = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToWorker) => {
      this.#take(message);
      this.#wake?.();
    });
  }

  /** The next bytes if some are there; never waits. */
  poll(): Buffer | undefined {
    if (this.#chunks.length === 0) this.#drain();
    const chunk = this.#chunks.shift();
    if (chunk) this.#taken(chunk.length);
    return chunk;
  }

  /** Waits for the next bytes; undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.poll();
      if (chunk || this.#ended) return chunk;
      await this.#message();
    }
  }

  /** Hands frames over, memory and all. */
  send(frames: Buffer): void {
    if (frames.length === 0) return;
    this.#underway += frames.length;
    this.#port.postMessage({ type: 'frames', bytes: frames } satisfies ToMain, [
      frames.buffer as ArrayBuffer,
    ]);
  }

  /** Waits until there is room for more. */
  async room(): Promise<void> {
    this.#drain();
    while (this.#underway > AHEAD) {
      await this.#message();
      this.#drain();
    }
  }

  [Symbol.dispose](): void {
    this.#port.close();
  }

  #drain(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      this.#take(got.message as ToWorker);
    }
    if (this.#failure) throw this.#failure;
  }

  #message(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #take(message: ToWorker): void {
    switch (message.type) {
      case 'chunk':
        this.#chunks.push(Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.length));
        return;
      case 'end':
        this.#ended = true;
        return;
      case 'sent':
        this.#underway -= message.bytes;
        return;
      case 'failed':
        this.#failure = new BuildError('transfer.lost', message.message, { grpcCode: 'Unavailable' });
        return;
      default:
        message satisfies never;
    }
  }

  #taken(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold < TELL) return;
    this.#port.postMessage({ type: 'taken', bytes: this.#untold } satisfies ToMain);
    this.#untold = 0;
  }
}
