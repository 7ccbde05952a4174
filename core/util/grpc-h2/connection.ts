/**
 * HTTP/2 settings that suit bulk transfers between two processes.
 *
 * Streams may run 4 MiB ahead. The connection's own window stays at 64 KiB on purpose: Node gives it back as data
 * arrives, read or not, so it never holds a stream up; and Node 20 forgets to resume a connection that it paused
 * during a write, which those frequent window updates set right. Widening it on both sides hangs two busy directions.
 */
import type { SessionOptions } from 'node:http2';

export const sessionOptions: SessionOptions = {
  settings: { initialWindowSize: 4 << 20, maxFrameSize: 1 << 18, maxConcurrentStreams: 1 << 20 },
  maxSessionMemory: 256,
  maxHeaderListPairs: 20_000,
  maxSendHeaderBlockLength: 8 << 20,
};
