/**
 * gRPC's message framing: one byte of flags, four bytes of length, the message. The reader hands out views of what
 * arrived; only a message that lies across two chunks is copied together, once.
 */
import { GrpcStatusError, grpcStatus } from './status.js';

const FRAME_HEADER = 5;

/** A message with its header in front, as one buffer. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_HEADER + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, FRAME_HEADER);
  return framed;
}

/** What comes in front of a message of `length` bytes. */
export function frameHeader(length: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(length, 1);
  return header;
}

export class FrameReader {
  readonly #limit: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes needed before the next look: a header, then a whole frame. */
  #needed = FRAME_HEADER;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The messages that `chunk` completes. */
  push(chunk: Buffer): Buffer[] {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    return this.#pendingBytes < this.#needed ? [] : this.#parse();
  }

  /** True between messages: a stream that ends elsewhere was cut off. */
  get idle(): boolean {
    return this.#pendingBytes === 0;
  }

  #parse(): Buffer[] {
    const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    const messages: Buffer[] = [];
    let at = 0;
    this.#needed = FRAME_HEADER;
    while (bytes.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + this.#length(bytes, at);
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      messages.push(bytes.subarray(at + FRAME_HEADER, end));
      at = end;
    }
    this.#pending = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#pendingBytes = bytes.length - at;
    return messages;
  }

  #length(bytes: Buffer, at: number): number {
    if (bytes[at] !== 0) {
      throw new GrpcStatusError(grpcStatus.unimplemented, 'compressed messages were not agreed on');
    }
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#limit) {
      throw new GrpcStatusError(
        grpcStatus.resourceExhausted,
        `received message larger than max (${length} vs. ${this.#limit})`,
      );
    }
    return length;
  }
}
