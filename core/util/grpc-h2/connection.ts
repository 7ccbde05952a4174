/**
 * HTTP/2 settings that suit bulk transfers between two processes, with a round trip's worth of data under way: 4 MiB
 * for a stream, 8 MiB for a connection.
 *
 * Node's session stops reading while a write of its own waits; two sessions whose writes both wait are stuck for
 * good. So the transport must take writes without waiting, as `byteStreamOf` does: what gathers there is bounded by
 * the peer's window. Node gives the connection's window back as data arrives, read by a stream or not, so one
 * slow stream does not hold up the others.
 */
import type { Http2Session, SessionOptions } from 'node:http2';

const CONNECTION_WINDOW = 8 << 20;

export const sessionOptions: SessionOptions = {
  settings: { initialWindowSize: 4 << 20, maxFrameSize: 1 << 18, maxConcurrentStreams: 1 << 20 },
  maxSessionMemory: 256,
  maxHeaderListPairs: 20_000,
  maxSendHeaderBlockLength: 8 << 20,
};

export function widenWindow(session: Http2Session): void {
  if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW);
}
