/** Control/Session of the gRPC API: a tunnel inside a bidi call. */
import type { Http2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { byteStreamOf, type ChunkStream } from '../util/byte-stream.js';
import type { SessionManager } from './session-manager.js';

/** The part of a call that sessions need. */
export interface SessionRequest {
  readonly signal: AbortSignal;
  metadata(name: string): readonly string[];
}

/** Resolves when the session has ended, on either side's initiative. */
export async function acceptSession(
  sessions: SessionManager,
  stream: ChunkStream,
  request: SessionRequest,
): Promise<void> {
  widenConnection(stream);
  const duplex: Duplex = byteStreamOf(stream);
  // A broken tunnel ends its session, which tells those who use it. Without one there is nobody to tell.
  duplex.on('error', () => {});
  const abort = (): void => void duplex.destroy();
  request.signal.addEventListener('abort', abort, { once: true });
  try {
    await sessions.accept({ metadata: (name) => request.metadata(name), duplex });
    // Not after a failure: the end of the stream would be the end of the call, before the client hears why.
    duplex.destroy();
  } finally {
    request.signal.removeEventListener('abort', abort);
  }
}

/** Of the connection that carries the session, in bytes; HTTP/2's default is 64 KiB. */
const STREAM_WINDOW = 4 << 20;
const CONNECTION_WINDOW = 8 << 20;

/**
 * Lets contexts arrive faster than 64 KiB per round trip. grpc-js has no option for its server's windows, but its calls
 * know their connection; should that change, transfers are only slower. Our client must keep the small windows for the
 * other direction: see core/util/grpc-h2/connection.ts for what happens when both are wide.
 */
function widenConnection(stream: unknown): void {
  const call = stream as { readonly call?: { readonly stream?: { readonly session?: Http2Session } } };
  const session = call.call?.stream?.session;
  if (!session || session.destroyed) return;
  session.settings({ initialWindowSize: STREAM_WINDOW });
  session.setLocalWindowSize(CONNECTION_WINDOW);
}
