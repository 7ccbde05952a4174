/** A program of this thread's, its streams, and its end. */
import fs from 'node:fs';
import net from 'node:net';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { AT_FDCWD } from '../../../../core/util/linux/libc.js';
import { openIn } from '../../../../core/util/linux/open-in.js';
import { pipe, reap, spawnProcess } from '../../../../core/util/linux/spawn.js';

export interface PipedOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Without it the program reads an empty stdin. */
  readonly stdin: boolean;
}

/**
 * The program has ended once both outputs are closed and it has been reaped: all that it or its descendants wrote has
 * been read by then.
 */
export class PipedProcess {
  readonly pid: number;
  readonly stdin: net.Socket | undefined;
  readonly stdout: net.Socket;
  readonly stderr: net.Socket;
  /** The exit code, 128 + signal for one that was killed. */
  readonly ended: Promise<number>;
  #exitCode: number | undefined;

  constructor(path: string, { args, env, stdin }: PipedOptions) {
    const input = stdin ? pipe() : undefined;
    const [out, err] = [pipe(), pipe()];
    const from = input?.read ?? openIn(AT_FDCWD, '/dev/null', fs.constants.O_RDONLY, { resolve: 0 });
    try {
      this.pid = spawnProcess(path, { args, env, stdio: [from, out.write, err.write] });
    } catch (error) {
      for (const fd of [input?.write, out.read, err.read]) if (fd !== undefined) closeDescriptor(fd);
      throw error;
    } finally {
      for (const fd of [from, out.write, err.write]) closeDescriptor(fd);
    }
    this.stdin = input && new net.Socket({ fd: input.write, readable: false, writable: true });
    // Whether the program still reads is its own business.
    this.stdin?.on('error', () => this.stdin?.destroy());
    this.stdout = readable(out.read);
    this.stderr = readable(err.read);
    this.ended = this.#wait();
  }

  /** Stops reading outputs that somebody keeps open although the program itself is gone. */
  abandonOutputs(): void {
    this.stdout.destroy();
    this.stderr.destroy();
  }

  /** Whether the program itself has ended, whatever its outputs are. */
  hasExited(): boolean {
    this.#exitCode ??= reap(this.pid);
    return this.#exitCode !== undefined;
  }

  async #wait(): Promise<number> {
    await Promise.all([closed(this.stdout), closed(this.stderr)]);
    // A program closes its descriptors a moment before it can be reaped.
    for (let wait = 0; !this.hasExited(); wait = Math.min(wait + 1, 10)) await delay(wait);
    this.stdin?.destroy();
    return this.#exitCode!;
  }
}

const readable = (fd: number): net.Socket => new net.Socket({ fd, readable: true, writable: false });

const closed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve());
    // The end of a pipe is its end; an error ends it as well, and `close` follows.
    socket.on('error', () => {});
    socket.once('end', () => socket.destroy());
  });

const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    if (ms === 0) setImmediate(resolve);
    else setTimeout(resolve, ms);
  });
