/**
 * `dial-stdio`: standard input and output become a connection to the daemon's socket. Clients elsewhere run it, with
 * `docker exec` or over ssh. BuildKit: cmd/buildctl/dialstdio.go.
 */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BuildError, invalid } from '../../../core/contracts/index.js';
import type { Context } from '../context.js';
import { usualSocket } from '../usual-socket.js';

export async function dialStdio({ options, signal, stdout }: Context): Promise<void> {
  const address = options.addr ?? `unix://${usualSocket()}`;
  const path = /^unix:\/\/(\/.*)$/.exec(address)?.[1];
  if (path === undefined)
    throw invalid('client.address', `dial-stdio needs a unix:// address, not ${address}`);
  const socket = addAbortSignal(signal, await connect(path, options.timeoutMs));
  const toDaemon = pipeline(process.stdin, socket);
  const fromDaemon = pipeline(socket, stdout, { end: false });
  try {
    // The daemon may end without standard input doing so, which a terminal never does.
    await Promise.race([fromDaemon, toDaemon.then(() => fromDaemon)]);
  } finally {
    socket.destroy();
    process.stdin.destroy();
    await Promise.allSettled([toDaemon, fromDaemon]);
  }
}

async function connect(path: string, timeoutMs: number): Promise<Socket> {
  const socket = createConnection({ path, allowHalfOpen: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return socket;
  } catch (cause) {
    socket.destroy();
    throw new BuildError(
      'client.unavailable',
      `no daemon answers at unix://${path}: ${(cause as Error).message}`,
      {
        grpcCode: 'Unavailable',
        cause: cause as Error,
      },
    );
  }
}
