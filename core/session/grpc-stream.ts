/** Control/Session of the gRPC API: a tunnel inside a bidi call. */
import type { Duplex } from 'node:stream';
import { byteStreamOf, type ChunkStream } from '../util/byte-stream.js';
import { directWriter, widenConnection } from './call-internals.js';
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
  const duplex: Duplex = byteStreamOf(stream, directWriter(stream));
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
