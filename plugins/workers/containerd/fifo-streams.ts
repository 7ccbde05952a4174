/**
 * The streams of one process, as fifos: a shim of containerd's opens the other ends when the process is made.
 *
 * 1. Our ends for reading are open before, so that nobody waits; reading begins after, for a fifo that no one writes to
 *    looks ended. It ends when the shim closes its ends: when nobody has the process' own any more.
 * 2. Bytes are read as fast as the caller takes them. Beyond what a fifo holds the process waits.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { ExecIo } from '../../../core/contracts/executor.js';
import { mkfifo } from '../../../core/util/linux/nodes.js';
import { isErrno } from '../../../core/util/linux/system-error.js';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** As containerd takes them; empty: none. */
export interface FifoPaths {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FifoOptions {
  /** Of this process alone. */
  readonly dir: string;
  readonly io: ExecIo;
  readonly tty: boolean;
  /** The caller's streams failed: nobody wants the process any more. */
  readonly onFailure: (error: unknown) => void;
}

export class FifoStreams implements AsyncDisposable {
  readonly paths: FifoPaths;
  readonly #options: FifoOptions;
  readonly #outputs: readonly { readonly name: 'stdout' | 'stderr'; readonly socket: net.Socket }[];
  readonly #input: AsyncIterator<Uint8Array> | undefined;
  #stdin: net.Socket | undefined;
  #read: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(options: FifoOptions) {
    const { dir, io, tty } = options;
    this.#options = options;
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const make = (name: string, wanted: boolean): string => {
      const file = path.join(dir, name);
      if (wanted) mkfifo(file, 0o600);
      return wanted ? file : '';
    };
    this.paths = {
      stdin: make('stdin', io.stdin !== undefined),
      stdout: make('stdout', true),
      stderr: make('stderr', !tty),
    };
    this.#outputs = (['stdout', 'stderr'] as const).flatMap((name) =>
      this.paths[name] === '' ? [] : [{ name, socket: reader(this.paths[name]) }],
    );
    this.#input = io.stdin?.[Symbol.asyncIterator]();
  }

  /** The other ends are open. `inputEnded` tells the other side that nothing more will come. */
  begin(inputEnded: () => Promise<void>): void {
    this.#read = Promise.all(this.#outputs.map(({ name, socket }) => this.#deliver(name, socket)));
    if (this.#input) void this.#feed(this.#input, inputEnded);
  }

  /** Resolves when all output has been taken. */
  async drained(): Promise<void> {
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    for (const { socket } of this.#outputs) socket.destroy();
    this.#stdin?.destroy();
    // A source in the middle of waiting for input ends whenever it does.
    void this.#input?.return?.().catch(() => {});
    await fs.promises.rm(this.#options.dir, { recursive: true, force: true });
  }

  async #deliver(name: 'stdout' | 'stderr', socket: net.Socket): Promise<void> {
    let failed = false;
    try {
      for await (const data of socket as AsyncIterable<Buffer>) {
        // Read on: a process that cannot write does not end.
        if (failed) continue;
        try {
          const taking = this.#options.io[name](data);
          if (taking !== undefined) await taking;
        } catch (error) {
          failed = true;
          this.#options.onFailure(error);
        }
      }
    } catch (error) {
      if (!this.#over) this.#options.onFailure(error);
    }
  }

  async #feed(input: AsyncIterator<Uint8Array>, inputEnded: () => Promise<void>): Promise<void> {
    try {
      const socket = writer(this.paths.stdin);
      this.#stdin = socket;
      for (let next = await input.next(); !next.done && !this.#over; next = await input.next()) {
        if (socket.destroyed) return;
        if (!socket.write(next.value)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      }
      if (this.#over) return;
      if (!socket.destroyed) await new Promise<void>((resolve) => socket.end(resolve));
      socket.destroy();
      await inputEnded();
    } catch (error) {
      // The process has ended, and its end of the fifo with it.
      if (this.#over || isErrno(error, 'ENXIO', 'ENOENT')) return;
      this.#options.onFailure(error);
    }
  }
}

function reader(file: string): net.Socket {
  const fd = fs.openSync(file, O_RDONLY | O_NONBLOCK);
  return new net.Socket({ fd, readable: true, writable: false });
}

function writer(file: string): net.Socket {
  const fd = fs.openSync(file, O_WRONLY | O_NONBLOCK);
  const socket = new net.Socket({ fd, readable: false, writable: true });
  // A process need not read its input to the end.
  socket.on('error', () => {});
  return socket;
}
