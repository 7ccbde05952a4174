/** The main thread's side of one process that a host runs: its streams, its start and its end. */
import type { ExecIo } from '../../../../core/contracts/executor.js';
import { type Deferred, deferred } from '../../../../core/util/deferred.js';
import { type ContainerExit, type HostCommand, type HostEvent, reviveError } from './protocol.js';

/** Output is acknowledged in pieces of this size: one message each way for many chunks. */
const ACKNOWLEDGE_BYTES = 1 << 18;

export class HostedIo {
  readonly #id: string;
  readonly #io: ExecIo;
  readonly #send: (command: HostCommand) => void;
  readonly #stdin: AsyncIterator<Uint8Array> | undefined;
  readonly #started = deferred<void>();
  readonly #exit: Deferred<ContainerExit> = deferred();
  #unacknowledged = 0;
  /** What the caller's streams failed with; told when the process is gone. */
  #failure: { readonly error: unknown } | undefined;
  /** Output that its reader still works on. */
  #reading: Promise<void> | undefined;

  constructor(id: string, io: ExecIo, send: (command: HostCommand) => void) {
    this.#id = id;
    this.#io = io;
    this.#send = send;
    this.#stdin = io.stdin?.[Symbol.asyncIterator]();
    // Each is waited for by whoever wants to.
    this.#started.promise.catch(() => {});
    this.#exit.promise.catch(() => {});
  }

  /** Resolves when the process runs or has run; rejects when it never did. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** When all of its output has been read. */
  async ended(): Promise<ContainerExit> {
    try {
      const exit = await this.#exit.promise;
      await this.#reading;
      if (this.#failure) throw this.#failure.error;
      return exit;
    } finally {
      // A source in the middle of waiting for input ends whenever it does.
      void this.#stdin?.return?.().catch(() => {});
    }
  }

  receive(event: Exclude<HostEvent, { type: 'ready' | 'problem' }>): void {
    switch (event.type) {
      case 'output':
        this.#deliver(event);
        return;
      case 'want-stdin':
        void this.#feed();
        return;
      case 'started':
        this.#started.resolve();
        return;
      case 'exited':
        this.#started.resolve();
        this.#exit.resolve(event.exit);
        return;
      case 'failed':
        this.fail(reviveError(event.error));
        return;
      default:
        event satisfies never;
    }
  }

  /** Nothing more will come. */
  fail(error: unknown): void {
    this.#started.reject(error);
    this.#exit.reject(error);
  }

  /** What is told at the end, whatever that is. */
  failAtEnd(error: unknown): void {
    this.#failure ??= { error };
  }

  #deliver({ stream, data }: Extract<HostEvent, { type: 'output' }>): void {
    if (this.#reading) {
      this.#reading = this.#reading.then(() => this.#read(stream, data));
      return;
    }
    const reading = this.#read(stream, data);
    if (reading === undefined) return;
    const last = reading.finally(() => {
      if (this.#reading === last) this.#reading = undefined;
    });
    this.#reading = last;
  }

  /** In order: a reader that answers a promise gets no more until it settles. */
  #read(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void> | undefined {
    try {
      const reading = this.#io[stream](data);
      if (reading !== undefined) {
        return reading.catch((error) => this.#streamFailed(error)).then(() => this.#acknowledge(data.length));
      }
    } catch (error) {
      this.#streamFailed(error);
    }
    this.#acknowledge(data.length);
    return undefined;
  }

  #streamFailed(error: unknown): void {
    this.failAtEnd(error);
    this.#send({ type: 'kill', id: this.#id });
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < ACKNOWLEDGE_BYTES) return;
    this.#send({ type: 'taken', id: this.#id, bytes: this.#unacknowledged });
    this.#unacknowledged = 0;
  }

  async #feed(): Promise<void> {
    try {
      const next = await this.#stdin?.next();
      if (next && !next.done) this.#send({ type: 'stdin', id: this.#id, data: next.value });
      else this.#send({ type: 'stdin', id: this.#id });
    } catch (error) {
      this.#streamFailed(error);
    }
  }
}
