/**
 * A program with a terminal for all of its streams. OCI runtimes give the container's process a terminal of its own
 * and copy between the two while they wait for it, so this one passes everything on as it is.
 */
import fs from 'node:fs';
import { ReadStream } from 'node:tty';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { openPty } from '../../../../core/util/linux/pty.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { Child, type HostProgram, type ProgramInput, type ProgramOutput } from './host-program.js';
import type { PipedOptions } from './piped-program.js';

export class TerminalProgram implements HostProgram {
  readonly pid: number;
  readonly input: ProgramInput | undefined;
  readonly outputs: readonly ProgramOutput[];
  readonly ended: Promise<number>;
  readonly #child: Child;
  readonly #stream: ReadStream;

  constructor(path: string, { args, env, stdin }: PipedOptions) {
    const { master, slave } = openPty();
    try {
      this.#child = new Child(path, { args, env, stdio: [slave, slave, slave] });
    } catch (error) {
      closeDescriptor(master);
      throw error;
    } finally {
      closeDescriptor(slave);
    }
    this.pid = this.#child.pid;
    this.#stream = new ReadStream(master);
    this.outputs = [{ name: 'stdout', stream: this.#stream }];
    this.input = stdin ? new TerminalInput(master, this.#stream) : undefined;
    this.ended = this.#child.endsWith([this.#stream]);
  }

  hasExited(): boolean {
    return this.#child.hasExited();
  }

  abandonOutputs(): void {
    this.#stream.destroy();
  }
}

/** While the terminal is full, how long to wait, in ms: nothing says when it is not any more. */
const FULL_MS = 10;

/** Node writes to terminals with calls that block; a full one would stop all containers. */
class TerminalInput implements ProgramInput {
  readonly #fd: number;
  readonly #stream: ReadStream;

  constructor(fd: number, stream: ReadStream) {
    this.#fd = fd;
    this.#stream = stream;
  }

  write(data: Uint8Array, done: () => void): void {
    if (this.#stream.destroyed) return;
    let written = 0;
    try {
      written = fs.writeSync(this.#fd, data);
    } catch (error) {
      if (isErrno(error, 'EIO')) return;
      if (!isErrno(error, 'EAGAIN')) throw error;
    }
    if (written === data.length) done();
    else setTimeout(() => this.write(data.subarray(written), done), FULL_MS);
  }

  /** A terminal has no end: whoever wants one sends the character that stands for it. */
  end(): void {}
}
