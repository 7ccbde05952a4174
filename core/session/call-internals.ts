/**
 * What lies under a call of grpc-js' server: it has no options for these things, but its calls know their HTTP/2
 * stream. Should that change, transfers are only slower.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { bytesMessageHead } from '../../proto/fsutil.js';
import type { WritePieces } from '../util/byte-stream.js';
import { frameHeader } from '../util/grpc-h2/frames.js';

function http2StreamOf(call: unknown): ServerHttp2Stream | undefined {
  const { stream } = (call as { readonly call?: { readonly stream?: ServerHttp2Stream } }).call ?? {};
  return stream?.destroyed === false ? stream : undefined;
}

/** Of the connection that carries the session, in bytes; HTTP/2's default is 64 KiB. */
const STREAM_WINDOW = 4 << 20;
const CONNECTION_WINDOW = 8 << 20;

/**
 * Lets contexts arrive faster than 64 KiB per round trip. Our client must keep the small windows for the other
 * direction: see core/util/grpc-h2/connection.ts for what happens when both are wide.
 */
export function widenConnection(call: unknown): void {
  const session = http2StreamOf(call)?.session;
  if (!session || session.destroyed) return;
  session.settings({ initialWindowSize: STREAM_WINDOW });
  session.setLocalWindowSize(CONNECTION_WINDOW);
}

/**
 * Writes messages of bytes beside grpc-js, which would copy each of them twice: memory that only the garbage collector
 * gives back, and it looks at everything to do so. The first message goes the usual way, as grpc-js sends the headers
 * with it; from then on all go this way, so their order is kept.
 */
export function directWriter(call: unknown): WritePieces {
  return (pieces) => {
    const stream = http2StreamOf(call);
    if (!stream?.headersSent || stream.writableEnded) return false;
    const head = bytesMessageHead(pieces.reduce((sum, { length }) => sum + length, 0));
    const size = pieces.reduce((sum, { length }) => sum + length, head.length);
    stream.cork();
    stream.write(frameHeader(size));
    stream.write(head);
    for (const piece of pieces) stream.write(piece);
    stream.uncork();
    return true;
  };
}
