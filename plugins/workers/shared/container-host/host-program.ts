/** A program that a host has started, whatever it is connected by. */
import type { Readable } from 'node:stream';
import { reap, type SpawnOptions, spawnProcess } from '../../../../core/util/linux/spawn.js';

export interface HostProgram {
  readonly pid: number;
  readonly outputs: readonly ProgramOutput[];
  /** Without one the program reads an empty stdin. */
  readonly input: ProgramInput | undefined;
  /**
   * The exit code, 128 + signal for one that was killed. By then all that the program or its descendants wrote has
   * been read.
   */
  readonly ended: Promise<number>;
  /** Whether the program itself has ended, whatever its outputs are. */
  hasExited(): boolean;
  /** Stops reading outputs that somebody keeps open although the program itself is gone. */
  abandonOutputs(): void;
}

export interface ProgramOutput {
  readonly name: 'stdout' | 'stderr';
  readonly stream: Readable;
}

export interface ProgramInput {
  /** `done` is called when there is room for more; never when nobody reads any more. */
  write(data: Uint8Array, done: () => void): void;
  end(): void;
}

/** More than any thread has at once. */
const PIDS = 4096;
/** Of this thread's children that nobody has reaped: should it die, another one can. 0 is a free place. */
const unreaped = new Int32Array(new SharedArrayBuffer(PIDS * Int32Array.BYTES_PER_ELEMENT));
export const unreapedChildren: Int32Array = unreaped;

/** A child of this thread's, from its start to the moment its exit code has been collected. */
export class Child {
  readonly pid: number;
  readonly #place: number;
  #exitCode: number | undefined;

  /** Starts `path`, which is absolute. */
  constructor(path: string, options: SpawnOptions) {
    this.#place = unreaped.indexOf(0);
    this.pid = spawnProcess(path, { ...options, pid: unreaped.subarray(this.#place, this.#place + 1) });
  }

  hasExited(): boolean {
    if (this.#exitCode === undefined) {
      this.#exitCode = reap(this.pid);
      if (this.#exitCode !== undefined) unreaped[this.#place] = 0;
    }
    return this.#exitCode !== undefined;
  }

  /** When all of `outputs` have closed and it has been reaped. */
  async endsWith(outputs: readonly Readable[]): Promise<number> {
    await Promise.all(outputs.map(closed));
    // A program closes its descriptors a moment before it can be reaped.
    for (let wait = 0; !this.hasExited(); wait = Math.min(wait + 1, 10)) await delay(wait);
    return this.#exitCode!;
  }
}

const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    stream.once('close', () => resolve());
    // The end of a pipe is its end; an error (a terminal that nobody holds any more) ends it as well.
    stream.on('error', () => {});
    stream.once('end', () => stream.destroy());
  });

const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    if (ms === 0) setImmediate(resolve);
    else setTimeout(resolve, ms);
  });
