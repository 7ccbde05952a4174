/**
 * Unix sockets in a folder of this process alone. What a process that was killed has left there goes when the folder
 * is used again.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Disposing it closes it, with all of its connections. */
export interface OwnedSocket extends AsyncDisposable {
  readonly path: string;
}

/** `sun_path` holds no more bytes than these. */
const MAX_PATH_BYTES = 107;

export class SocketFolder {
  readonly #dir: string;
  #opened = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** `serve` gets every connection. What it throws is that connection's problem, told to `failed`. */
  async open(
    owner: SocketOwner,
    serve: (connection: net.Socket) => Promise<void>,
    failed: (error: unknown) => void,
  ): Promise<OwnedSocket> {
    const file = path.join(this.#folder(), randomBytes(8).toString('hex'));
    const connections = new Set<net.Socket>();
    const server = net.createServer({ allowHalfOpen: true }, (connection) => {
      connections.add(connection);
      // Whoever serves it sees its errors; one that comes afterwards concerns nobody.
      connection.on('error', () => {});
      connection.on('close', () => connections.delete(connection));
      serve(connection).catch(failed);
    });
    await listen(server, file);
    fs.chownSync(file, owner.uid, owner.gid);
    fs.chmodSync(file, owner.mode);
    return {
      path: file,
      async [Symbol.asyncDispose]() {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        for (const connection of connections) connection.destroy();
        await closed;
        fs.rmSync(file, { force: true });
      },
    };
  }

  #folder(): string {
    if (this.#opened) return this.#dir;
    fs.rmSync(this.#dir, { recursive: true, force: true });
    fs.mkdirSync(this.#dir, { recursive: true, mode: 0o711 });
    this.#opened = true;
    return this.#dir;
  }
}

/** A name that is too long for a socket is reached through the descriptor of its folder. */
async function listen(server: net.Server, file: string): Promise<void> {
  const short = Buffer.byteLength(file) <= MAX_PATH_BYTES;
  const dir = short ? undefined : fs.openSync(path.dirname(file), fs.constants.O_DIRECTORY);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(dir === undefined ? file : `/proc/self/fd/${dir}/${path.basename(file)}`, resolve);
    });
  } finally {
    if (dir !== undefined) fs.closeSync(dir);
  }
}
