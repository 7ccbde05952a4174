/** This process's stdin and stdout, where a daemon listens that runs it as a frontend. Wire facts E11. */
import { Console } from 'node:console';
import { Duplex } from 'node:stream';

/** Writes complete at once, as HTTP/2 sessions need it; the peer's windows bound what gathers. */
export function openStdio(): Duplex {
  const { stdin, stdout } = process;
  // What is printed must not get between the messages.
  globalThis.console = new Console(process.stderr, process.stderr);
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => stdin.resume(),
    write: (data: Buffer, _encoding, done) => {
      stdout.write(data);
      done();
    },
    final: (done) => done(),
    // Nothing keeps the process from ending.
    destroy: (error, done) => {
      stdin.destroy();
      done(error);
    },
  });
  stdin.on('data', (data: Buffer) => {
    if (!stream.push(data)) stdin.pause();
  });
  stdin.on('end', () => stream.push(null));
  stdin.on('error', (error) => stream.destroy(error));
  stdout.on('error', (error) => stream.destroy(error));
  return stream;
}
