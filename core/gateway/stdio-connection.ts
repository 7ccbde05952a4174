/**
 * A byte stream that is a process's stdin and stdout. Writes complete at once, as HTTP/2 sessions need it
 * (core/util/byte-stream.ts); the peer's windows bound what gathers.
 */
import { Duplex, Readable } from 'node:stream';

const BUFFER = 256 << 10;

export class StdioConnection {
  readonly stream: Duplex;
  /** What the process reads. */
  readonly stdin: AsyncIterable<Uint8Array>;

  constructor() {
    const stdin = new Readable({ read: () => {}, highWaterMark: BUFFER });
    this.stdin = stdin;
    this.stream = new Duplex({
      allowHalfOpen: true,
      readableHighWaterMark: BUFFER,
      writableHighWaterMark: BUFFER,
      read: () => {},
      write: (data: Buffer, _encoding, done) => {
        stdin.push(data);
        done();
      },
      writev: (list: { chunk: Buffer }[], done) => {
        stdin.push(Buffer.concat(list.map(({ chunk }) => chunk)));
        done();
      },
      final: (done) => {
        stdin.push(null);
        done();
      },
      destroy: (error, done) => {
        if (!stdin.readableEnded) stdin.push(null);
        done(error);
      },
    });
    // Whoever uses the stream learns of its errors there.
    this.stream.on('error', () => {});
  }

  /** What the process wrote. */
  readonly stdout = (data: Uint8Array): void => {
    if (!this.stream.destroyed) this.stream.push(data);
  };

  /** The process has ended: nothing comes any more, and nobody reads. */
  end(): void {
    if (!this.stream.destroyed) this.stream.push(null);
  }
}
