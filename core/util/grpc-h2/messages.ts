/**
 * The message side of one gRPC call on an HTTP/2 stream, the same for clients and servers: framed writes with
 * back-pressure, and reads in batches, because small messages come many to a chunk.
 */
import type { Http2Stream } from 'node:http2';
import { FrameReader, frame, frameHeader } from './frames.js';
import { GrpcStatusError, grpcStatus } from './status.js';

/** Called in order; `end` or `failed` is the last call. */
export interface ChunkSink {
  chunk(bytes: Buffer): void;
  end(): void;
  failed(error: unknown): void;
}
/** For a sink that cannot keep up. */
export interface ChunkFlow {
  pause(): void;
  resume(): void;
}

/** BuildKit's limit on both sides (wire facts E1.7). */
export const MAX_MESSAGE = 16 << 20;

export class MessageStream {
  readonly #stream: Http2Stream;
  readonly #reader = new FrameReader(MAX_MESSAGE);
  /** Why the call is over, once it is over other than by its end. */
  readonly #failure: () => unknown;

  constructor(stream: Http2Stream, failure: () => unknown) {
    this.#stream = stream;
    this.#failure = failure;
  }

  /** Writes one message; resolves when there is room for the next. */
  send(message: Uint8Array): Promise<void> {
    return this.sendFrames(frame(message));
  }

  /** Writes one message that is in two pieces; the second one, of many bytes, is not copied. */
  sendPieces(head: Uint8Array, body: Uint8Array): Promise<void> {
    if (this.#over) return Promise.reject(this.#lost());
    this.#stream.cork();
    this.#stream.write(frameHeader(head.length + body.length));
    this.#stream.write(head);
    const room = this.#stream.write(body);
    this.#stream.uncork();
    return room ? resolved : this.#drained();
  }

  /** Writes messages that are framed already. */
  sendFrames(frames: Uint8Array): Promise<void> {
    if (this.#over) return Promise.reject(this.#lost());
    if (this.#stream.write(frames)) return resolved;
    return this.#drained();
  }

  get #over(): boolean {
    return this.#stream.destroyed || this.#stream.closed || this.#stream.writableEnded;
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#stream.off('drain', done);
        this.#stream.off('close', done);
        if (this.#stream.destroyed || this.#stream.closed) reject(this.#lost());
        else resolve();
      };
      this.#stream.on('drain', done);
      this.#stream.on('close', done);
    });
  }

  #lost(): unknown {
    return this.#failure() ?? new GrpcStatusError(grpcStatus.unavailable, 'the call is over');
  }

  /**
   * What arrives, frames and all, given to `sink` as it comes, until the other side ends its half: for transfers, which
   * come in many thousands of HTTP/2 frames.
   */
  pour(sink: ChunkSink): ChunkFlow {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => sink.chunk(chunk));
    stream.once('end', () => sink.end());
    stream.once('close', () => {
      if (!stream.readableEnded) sink.failed(this.#lost());
    });
    return stream;
  }

  /** Messages, as many at a time as arrive together. Stopping early leaves the stream open. */
  async *batches(): AsyncGenerator<Buffer[], void, void> {
    const chunks = this.#stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      const messages = this.#reader.push(chunk);
      if (messages.length > 0) yield messages;
    }
    if (!this.#reader.idle) {
      throw new GrpcStatusError(grpcStatus.internal, 'the stream ended inside a message');
    }
  }

  async *messages(): AsyncGenerator<Buffer, void, void> {
    for await (const batch of this.batches()) yield* batch;
  }
}

const resolved = Promise.resolve();
