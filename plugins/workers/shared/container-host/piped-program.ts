/** A program with a pipe for each of its streams. */
import fs from 'node:fs';
import net from 'node:net';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { AT_FDCWD } from '../../../../core/util/linux/libc.js';
import { openIn } from '../../../../core/util/linux/open-in.js';
import { pipe } from '../../../../core/util/linux/spawn.js';
import { Child, type HostProgram, type ProgramInput, type ProgramOutput } from './host-program.js';

export interface PipedOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Without it the program reads an empty stdin. */
  readonly stdin: boolean;
}

export class PipedProgram implements HostProgram {
  readonly pid: number;
  readonly input: ProgramInput | undefined;
  readonly outputs: readonly ProgramOutput[];
  readonly ended: Promise<number>;
  readonly #child: Child;

  constructor(path: string, { args, env, stdin }: PipedOptions) {
    const input = stdin ? pipe() : undefined;
    const [out, err] = [pipe(), pipe()];
    const from = input?.read ?? openIn(AT_FDCWD, '/dev/null', fs.constants.O_RDONLY, { resolve: 0 });
    try {
      this.#child = new Child(path, { args, env, stdio: [from, out.write, err.write] });
    } catch (error) {
      for (const fd of [input?.write, out.read, err.read]) if (fd !== undefined) closeDescriptor(fd);
      throw error;
    } finally {
      for (const fd of [from, out.write, err.write]) closeDescriptor(fd);
    }
    this.pid = this.#child.pid;
    this.outputs = [
      { name: 'stdout', stream: readable(out.read) },
      { name: 'stderr', stream: readable(err.read) },
    ];
    const pipedInput = input && new PipedInput(input.write);
    this.input = pipedInput;
    this.ended = this.#child
      .endsWith(this.outputs.map(({ stream }) => stream))
      .finally(() => pipedInput?.destroy());
  }

  hasExited(): boolean {
    return this.#child.hasExited();
  }

  abandonOutputs(): void {
    for (const { stream } of this.outputs) stream.destroy();
  }
}

const readable = (fd: number): net.Socket => new net.Socket({ fd, readable: true, writable: false });

class PipedInput implements ProgramInput {
  readonly #socket: net.Socket;

  constructor(fd: number) {
    this.#socket = new net.Socket({ fd, readable: false, writable: true });
    // Whether the program still reads is its own business.
    this.#socket.on('error', () => this.#socket.destroy());
  }

  write(data: Uint8Array, done: () => void): void {
    if (!this.#socket.destroyed) this.#socket.write(data, (error) => error ?? done());
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
