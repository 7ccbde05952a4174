/** The main thread's handle on the thread that owns the containers. */
import { setMaxListeners } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { ExecIo, RunningContainer, RunningProcess } from '../../../../core/contracts/executor.js';
import type { Logger } from '../../../../core/contracts/logger.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { deferred } from '../../../../core/util/deferred.js';
import { newId } from '../../../../core/util/identity.js';
import type { HostArgs } from './container-host.task.js';
import { HostedIo } from './hosted-io.js';
import {
  type ContainerExit,
  type ContainerRequest,
  type HostCommand,
  type HostEstate,
  type HostEvent,
  type HostSettings,
  reviveError,
} from './protocol.js';

const task = new URL('./container-host.task.js', import.meta.url);

const closed = (): BuildError =>
  new BuildError('exec.host', 'the worker has been closed', { grpcCode: 'Unavailable' });

interface Begun {
  readonly started: Promise<void>;
  readonly ended: Promise<ContainerExit>;
}

export class ContainerHost implements AsyncDisposable {
  readonly #port: MessagePort;
  readonly #logger: Logger;
  readonly #running = new Map<string, HostedIo>();
  readonly #ready = deferred<void>();
  readonly #ended: Promise<void>;
  readonly #rootless: boolean;
  #estate: HostEstate | undefined;
  #dead: Error | undefined;

  /** Resolves when the thread has its namespace; rejects when it cannot have one. */
  static async open(settings: HostSettings, threads: Threads, logger: Logger): Promise<ContainerHost> {
    const host = new ContainerHost(settings, threads, logger);
    await host.#ready.promise;
    return host;
  }

  private constructor(settings: HostSettings, threads: Threads, logger: Logger) {
    this.#logger = logger;
    this.#rootless = settings.rootless;
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
      (error: Error) => {
        this.#end(error);
        return this.#executeEstate();
      },
    );
  }

  /** True when its thread died: nothing runs on it any more. */
  get dead(): boolean {
    return this.#dead !== undefined;
  }

  /** Runs a container to its end; an abort kills it and waits for that. Settles either way as the thread says. */
  async run(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<ContainerExit> {
    return this.#begin({ type: 'run', request }, io, signal).ended;
  }

  /** The same, answered as soon as it runs. */
  async start(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<RunningContainer> {
    const begun = this.#begin({ type: 'run', request }, io, signal);
    await begun.started;
    return {
      ...this.#handle(request.id, begun),
      exec: async (process, execIo, execSignal) => {
        const exec = {
          id: newId(),
          container: request.id,
          process,
          stdin: execIo.stdin !== undefined,
        };
        const more = this.#begin({ type: 'exec', request: exec }, execIo, execSignal);
        await more.started;
        return this.#handle(exec.id, more);
      },
    };
  }

  /** Kills what still runs; whoever waits for it is told so. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running.values()) running.failAtEnd(closed());
    if (!this.#dead) this.#send({ type: 'close' });
    await this.#ended;
  }

  #begin(command: HostCommand & { type: 'run' | 'exec' }, io: ExecIo, signal: AbortSignal): Begun {
    if (this.#dead) throw this.#dead;
    const { id } = command.request;
    const running = new HostedIo(id, io, (answer) => this.#send(answer));
    this.#running.set(id, running);
    const kill = (): void => this.#send({ type: 'kill', id });
    this.#send(command);
    // One build's signal stops many steps; that is no leak.
    setMaxListeners(0, signal);
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    const ended = running.ended().finally(() => {
      signal.removeEventListener('abort', kill);
      this.#running.delete(id);
    });
    // A program that cannot be started fails `started`; nobody waits for its end then.
    ended.catch(() => {});
    return { started: running.started, ended };
  }

  #handle(id: string, { ended }: Begun): RunningProcess {
    return {
      ended,
      signal: (name) => this.#send({ type: 'signal', id, name }),
      resize: (size) => this.#send({ type: 'resize', id, size }),
    };
  }

  #send(command: HostCommand): void {
    this.#port.postMessage(command);
  }

  #receive(event: HostEvent): void {
    if (event.type === 'ready') {
      this.#estate = event.estate;
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
    this.#running.get(event.id)?.receive(event);
  }

  #end(error: Error): void {
    this.#dead = error;
    this.#ready.reject(error);
    // Nobody may be waiting for it any more.
    this.#ready.promise.catch(() => {});
    for (const running of this.#running.values()) running.fail(error);
    this.#port.close();
  }

  /** Of a thread that died. */
  async #executeEstate(): Promise<void> {
    if (!this.#estate) return;
    try {
      // Calls of the system are loaded in this thread for this only.
      const { executeEstate } = await import('./execute-estate.js');
      await executeEstate(this.#estate, this.#rootless);
    } catch (error) {
      this.#logger.warn('cleaning up after the thread of the containers failed', { err: error });
    }
  }
}
