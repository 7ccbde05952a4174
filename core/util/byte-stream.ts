/**
 * A byte stream inside a message stream: every message is a slice of an endless sequence of bytes, as session tunnels
 * carry HTTP/2. Ending one direction leaves the other open.
 *
 * 1. Writes complete at once. An HTTP/2 session stops reading while a write waits, so waiting here could block both
 *    ends for good; HTTP/2's own flow control bounds what gathers (the peer's connection window).
 * 2. Nothing is handed out during a write, even if the other end answers within it: Node's HTTP/2 session aborts the
 *    process when data arrives then.
 */
import { Duplex, type Readable, type Writable } from 'node:stream';

/**
 * What a gRPC bidi call is, on either side: an object-mode duplex of chunks. `cancel` gives the call up, which is the
 * part of the side that made it.
 */
export type ChunkStream = Readable & Writable & { cancel?(): void };

/** Sends one message, made of these bytes, without joining them; false when it cannot do that now. */
export type WritePieces = (pieces: readonly Buffer[]) => boolean;

/** Small writes are gathered up to this size; peers accept messages of 4 MiB and more. */
const MAX_CHUNK = 1 << 20;
const BUFFER = 256 << 10;

export const byteStreamOf = (chunks: ChunkStream, writePieces: WritePieces = () => false): Duplex =>
  new ByteStream(chunks, writePieces);

class ByteStream extends Duplex {
  readonly #chunks: ChunkStream;
  readonly #writePieces: WritePieces;
  #writing = false;
  /** What arrived during a write; undefined stands for the end. */
  readonly #early: (Uint8Array | undefined)[] = [];

  constructor(chunks: ChunkStream, writePieces: WritePieces) {
    super({ allowHalfOpen: true, readableHighWaterMark: BUFFER, writableHighWaterMark: BUFFER });
    this.#chunks = chunks;
    this.#writePieces = writePieces;
    chunks.on('data', (message: { readonly data: Uint8Array }) => this.#arrived(message.data));
    chunks.on('end', () => this.#arrived(undefined));
    chunks.on('error', (error) => this.destroy(error));
    // After a proper end the reader may still be busy with what arrived.
    chunks.on('close', () => chunks.readableEnded || this.destroy());
    chunks.on('cancelled', () => this.destroy());
  }

  override _read(): void {
    this.#chunks.resume();
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send([[data]], done);
  }

  override _writev(list: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(gather(list.map((item) => item.chunk)), done);
  }

  override _final(done: () => void): void {
    this.#chunks.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // A grpc-js server call has no destroy that the client sees; ending it does.
    if (!this.#chunks.writableEnded) this.#chunks.end();
    // Nor has a client call, which stays open, and its connection with it, while anything that came is not read.
    this.#chunks.cancel?.();
    this.#chunks.destroy();
    done(error);
  }

  #send(messages: readonly (readonly Buffer[])[], done: (error?: Error | null) => void): void {
    if (this.#chunks.destroyed || this.#chunks.writableEnded) {
      done(new Error('the tunnel is closed'));
      return;
    }
    this.#writing = true;
    for (const pieces of messages) {
      if (!this.#writePieces(pieces)) this.#chunks.write({ data: joined(pieces) });
    }
    this.#writing = false;
    if (this.#early.length > 0) process.nextTick(() => this.#late());
    done();
  }

  #arrived(data: Uint8Array | undefined): void {
    if (this.#writing || this.#early.length > 0) this.#early.push(data);
    else this.#hand(data);
  }

  /** Rule 2: now is the time for what came early. */
  #late(): void {
    for (const data of this.#early.splice(0)) this.#hand(data);
  }

  #hand(data: Uint8Array | undefined): void {
    if (data === undefined) this.push(null);
    else if (data.length > 0 && !this.push(data)) this.#chunks.pause();
  }
}

function gather(list: readonly Buffer[]): Buffer[][] {
  const messages: Buffer[][] = [];
  let size = MAX_CHUNK;
  for (const data of list) {
    if (size + data.length > MAX_CHUNK) {
      messages.push([]);
      size = 0;
    }
    messages.at(-1)!.push(data);
    size += data.length;
  }
  return messages;
}

const joined = (pieces: readonly Buffer[]): Buffer =>
  pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
