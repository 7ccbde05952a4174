/**
 * A byte stream inside a message stream: every message is a slice of an endless sequence of bytes, as session tunnels
 * and stdio frontends carry them. Ending one direction leaves the other open.
 *
 * Writes complete at once: an HTTP/2 session stops reading while a write waits, so waiting here could block both ends
 * for good. HTTP/2's own flow control bounds what gathers (the peer's connection window: 64 KiB, Go's 1 MiB).
 */
import { Duplex, type Readable, type Writable } from 'node:stream';

/** What a gRPC bidi call is, on either side: an object-mode duplex of chunks. */
export type ChunkStream = Readable & Writable;

/** Small writes are gathered up to this size; peers accept messages of 4 MiB and more. */
const MAX_CHUNK = 1 << 20;
const BUFFER = 256 << 10;

export function byteStreamOf(chunks: ChunkStream): Duplex {
  const bytes = new Duplex({
    allowHalfOpen: true,
    readableHighWaterMark: BUFFER,
    writableHighWaterMark: BUFFER,
    read() {
      chunks.resume();
    },
    write(data: Buffer, _encoding, done) {
      sendAll(chunks, [data], done);
    },
    writev(list, done) {
      sendAll(chunks, gather(list.map((item) => item.chunk as Buffer)), done);
    },
    final(done) {
      chunks.end();
      done();
    },
    destroy(error, done) {
      // A grpc-js server call has no destroy that the client sees; ending it does.
      if (!chunks.writableEnded) chunks.end();
      chunks.destroy();
      done(error);
    },
  });
  chunks.on('data', (message: { readonly data: Uint8Array }) => {
    const { data } = message;
    if (data.length === 0) return;
    if (!bytes.push(data)) chunks.pause();
  });
  chunks.on('end', () => bytes.push(null));
  chunks.on('error', (error) => bytes.destroy(error));
  // After a proper end the reader may still be busy with what arrived.
  chunks.on('close', () => chunks.readableEnded || bytes.destroy());
  chunks.on('cancelled', () => bytes.destroy());
  return bytes;
}

function sendAll(chunks: ChunkStream, list: Buffer[], done: (error?: Error | null) => void): void {
  if (chunks.destroyed || chunks.writableEnded) {
    done(new Error('the tunnel is closed'));
    return;
  }
  for (const data of list) chunks.write({ data });
  done();
}

function gather(list: Buffer[]): Buffer[] {
  const out: Buffer[] = [];
  let group: Buffer[] = [];
  let size = 0;
  for (const data of list) {
    if (size + data.length > MAX_CHUNK && group.length > 0) {
      out.push(Buffer.concat(group));
      group = [];
      size = 0;
    }
    group.push(data);
    size += data.length;
  }
  if (group.length > 0) out.push(group.length === 1 ? group[0]! : Buffer.concat(group));
  return out;
}
