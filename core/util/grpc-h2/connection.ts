/**
 * HTTP/2 settings that suit bulk transfers between two processes.
 *
 * Streams may run 4 MiB ahead, but the connection's window stays at 64 KiB on purpose. Node's session stops reading while
 * a write of its own waits; two sessions whose writes both wait are stuck for good. What is in flight must therefore
 * fit into the transport's buffers (a socket's, or those of `byteStreamOf`). Node gives the connection's window
 * back as data arrives, read by a stream or not, so one slow stream does not hold up the others.
 */
import type { SessionOptions } from 'node:http2';

export const sessionOptions: SessionOptions = {
  settings: { initialWindowSize: 4 << 20, maxFrameSize: 1 << 18, maxConcurrentStreams: 1 << 20 },
  maxSessionMemory: 256,
  maxHeaderListPairs: 20_000,
  maxSendHeaderBlockLength: 8 << 20,
};
