/** The main thread's handle on the thread that owns the containers. */
import { setMaxListeners } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { ExecIo } from '../../../../core/contracts/executor.js';
import type { Logger } from '../../../../core/contracts/logger.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { type Deferred, deferred } from '../../../../core/util/deferred.js';
import type { HostArgs } from './container-host.task.js';
import {
  type ContainerExit,
  type ContainerRequest,
  type HostCommand,
  type HostEvent,
  type HostSettings,
  reviveError,
} from './protocol.js';

const task = new URL('./container-host.task.js', import.meta.url);

/** Output is acknowledged in pieces of this size: one message each way for many chunks. */
const ACKNOWLEDGE_BYTES = 1 << 18;

interface Running {
  readonly io: ExecIo;
  readonly exit: Deferred<ContainerExit>;
  readonly stdin: AsyncIterator<Uint8Array> | undefined;
  unacknowledged: number;
  /** What the caller's streams failed with; told when the container is gone. */
  failure?: unknown;
}

const closed = (): BuildError =>
  new BuildError('exec.host', 'the worker has been closed', { grpcCode: 'Unavailable' });

export class ContainerHost implements AsyncDisposable {
  readonly #port: MessagePort;
  readonly #logger: Logger;
  readonly #running = new Map<string, Running>();
  readonly #ready = deferred<void>();
  readonly #ended: Promise<void>;
  #dead: Error | undefined;

  /** Resolves when the thread has its namespace; rejects when it cannot have one. */
  static async open(settings: HostSettings, threads: Threads, logger: Logger): Promise<ContainerHost> {
    const host = new ContainerHost(settings, threads, logger);
    await host.#ready.promise;
    return host;
  }

  private constructor(settings: HostSettings, threads: Threads, logger: Logger) {
    this.#logger = logger;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const args: HostArgs = { settings, port: port2 };
    const running = threads.run<void>(task, args, {
      // It is asked to end by `close`, so that nothing is left behind.
      signal: new AbortController().signal,
      onReport: (event) => this.#receive(event as HostEvent),
      transfer: [port2],
      dedicated: true,
    });
    this.#ended = running.then(
      () => this.#end(closed()),
      (error: Error) => this.#end(error),
    );
  }

  /** True when its thread died: nothing runs on it any more. */
  get dead(): boolean {
    return this.#dead !== undefined;
  }

  /** Runs a container to its end; an abort kills it and waits for that. Settles either way as the thread says. */
  async run(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<ContainerExit> {
    if (this.#dead) throw this.#dead;
    const { id } = request;
    const exit = deferred<ContainerExit>();
    const stdin = io.stdin?.[Symbol.asyncIterator]();
    const running: Running = { io, exit, stdin, unacknowledged: 0 };
    this.#running.set(id, running);
    const kill = (): void => this.#send({ type: 'kill', id });
    this.#send({ type: 'run', request });
    // One build's signal stops many steps; that is no leak.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', kill, { once: true });
    try {
      const end = await exit.promise;
      if (running.failure !== undefined) throw running.failure;
      return end;
    } finally {
      signal.removeEventListener('abort', kill);
      this.#running.delete(id);
      // A source in the middle of waiting for input ends whenever it does.
      void stdin?.return?.().catch(() => {});
    }
  }

  /** Kills what still runs; whoever waits for it is told so. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running.values()) running.failure ??= closed();
    if (!this.#dead) this.#send({ type: 'close' });
    await this.#ended;
  }

  #send(command: HostCommand): void {
    this.#port.postMessage(command);
  }

  #receive(event: HostEvent): void {
    if (event.type === 'ready') {
      this.#ready.resolve();
      return;
    }
    if (event.type === 'problem') {
      this.#logger.warn('killing or cleaning up a container failed', {
        container: event.id,
        err: reviveError(event.error),
      });
      return;
    }
    const running = this.#running.get(event.id);
    if (!running) return;
    switch (event.type) {
      case 'output':
        this.#deliver(event, running);
        return;
      case 'want-stdin':
        void this.#feed(event.id, running);
        return;
      case 'exited':
        running.exit.resolve(event.exit);
        return;
      case 'failed':
        running.exit.reject(reviveError(event.error));
        return;
      default:
        event satisfies never;
    }
  }

  #deliver({ id, stream, data }: Extract<HostEvent, { type: 'output' }>, running: Running): void {
    try {
      running.io[stream](data);
    } catch (error) {
      this.#streamFailed(id, running, error);
    }
    this.#acknowledge(id, running, data.length);
  }

  #streamFailed(id: string, running: Running, error: unknown): void {
    running.failure ??= error;
    this.#send({ type: 'kill', id });
  }

  #acknowledge(id: string, running: Running, bytes: number): void {
    running.unacknowledged += bytes;
    if (running.unacknowledged < ACKNOWLEDGE_BYTES) return;
    this.#send({ type: 'taken', id, bytes: running.unacknowledged });
    running.unacknowledged = 0;
  }

  async #feed(id: string, running: Running): Promise<void> {
    try {
      const next = await running.stdin?.next();
      if (next && !next.done) this.#send({ type: 'stdin', id, data: next.value });
      else this.#send({ type: 'stdin', id });
    } catch (error) {
      this.#streamFailed(id, running, error);
    }
  }

  #end(error: Error): void {
    this.#dead = error;
    this.#ready.reject(error);
    // Nobody may be waiting for it any more.
    this.#ready.promise.catch(() => {});
    for (const { exit } of this.#running.values()) exit.reject(error);
    this.#port.close();
  }
}
