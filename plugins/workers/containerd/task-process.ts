/**
 * One process in containerd: a container's first one, or one more. Steps of its life, and what may come between them:
 *
 * 1. `create` makes it, `start` lets it run, `finish` waits for its end and for its output. The shim opens the streams of a
 *    first process when it is made, and of a further one when it is started: not before that are they read and written.
 * 2. `kill` may come at any time. Before there is a process it is remembered, and done as soon as there is one.
 * 3. containerd may be restarted while the process runs: waiting goes on with the next connection.
 */
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ExecIo, TerminalSize } from '../../../core/contracts/executor.js';
import type { Logger } from '../../../core/contracts/logger.js';
import { GrpcStatusError } from '../../../core/util/grpc-h2/status.js';
import { Tasks } from '../../../proto/containerd.js';
import { type Containerd, failedWith, tolerant } from './containerd-client.js';
import { type FifoPaths, FifoStreams } from './fifo-streams.js';

/** How long a containerd that is restarted may take to answer again, and how often it is asked meanwhile. */
const RESTART_MS = 30_000;
const RETRY_MS = 100;

export interface TaskProcessOptions {
  readonly containerd: Containerd;
  readonly logger: Logger;
  readonly containerId: string;
  /** Empty: the first process. */
  readonly execId: string;
  readonly io: ExecIo;
  readonly tty: boolean;
  /** For its fifos. */
  readonly dir: string;
}

export class TaskProcess implements AsyncDisposable {
  readonly #options: TaskProcessOptions;
  readonly #streams: FifoStreams;
  #state: 'none' | 'created' | 'running' | 'ended' = 'none';
  #killed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: TaskProcessOptions) {
    this.#options = options;
    const { dir, io, tty } = options;
    this.#streams = new FifoStreams({ dir, io, tty, onFailure: (error) => this.#fail(error) });
  }

  get execId(): string {
    return this.#options.execId;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  get killed(): boolean {
    return this.#killed;
  }

  /** `make` asks containerd for the process. */
  async create(make: (paths: FifoPaths) => Promise<unknown>): Promise<void> {
    await startError(make(this.#streams.paths));
    this.#state = 'created';
  }

  async start(): Promise<void> {
    const { containerd, containerId, execId } = this.#options;
    await startError(containerd.call(Tasks.Start, { containerId, execId }));
    this.#streams.begin(() => this.#closeInput());
    this.#state = 'running';
    if (this.#killed) this.#send('SIGKILL');
  }

  /** Its exit code, when all of its output has been taken. */
  async finish(): Promise<number> {
    const exitCode = await this.#wait();
    this.#state = 'ended';
    await this.#streams.drained();
    return exitCode;
  }

  /** Throws what the caller's streams failed with. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  kill(): void {
    this.#killed = true;
    if (this.#state === 'running') this.#send('SIGKILL');
  }

  signal(name: NodeJS.Signals): void {
    if (this.#state === 'running') this.#send(name);
  }

  resize({ rows: height, columns: width }: TerminalSize): void {
    if (this.#state !== 'running' || !this.#options.tty) return;
    const { containerd, containerId, execId } = this.#options;
    this.#unawaited(
      'resizing a terminal',
      containerd.call(Tasks.ResizePty, { containerId, execId, width, height }),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'ended';
    return this.#streams[Symbol.asyncDispose]();
  }

  async #wait(): Promise<number> {
    const { containerd, containerId, execId } = this.#options;
    const since = { lost: 0 };
    for (;;) {
      try {
        const { exitStatus } = await containerd.call(Tasks.Wait, { containerId, execId });
        return exitStatus;
      } catch (error) {
        if (!isLost(error)) throw error;
        if (since.lost === 0) since.lost = Date.now();
        else if (Date.now() - since.lost > RESTART_MS) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** SIGKILL is for all of the container, as it would be by its first process' end. */
  #send(name: NodeJS.Signals): void {
    const { containerd, containerId, execId } = this.#options;
    const all = name === 'SIGKILL' && execId === '';
    const request = { containerId, execId, signal: os.constants.signals[name], all };
    this.#unawaited(`sending ${name}`, containerd.call(Tasks.Kill, request));
  }

  async #closeInput(): Promise<void> {
    const { containerd, containerId, execId } = this.#options;
    await tolerant(containerd.call(Tasks.CloseIO, { containerId, execId, stdin: true }));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.kill();
  }

  #unawaited(doing: string, work: Promise<unknown>): void {
    const { logger, containerId } = this.#options;
    tolerant(work).catch((err: unknown) => logger.warn(`${doing} failed`, { container: containerId, err }));
  }
}

const isLost = (error: unknown): boolean =>
  failedWith(error, 'Unavailable') ||
  (error instanceof BuildError && error.code === 'containerd.unavailable');

async function startError(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof GrpcStatusError)) throw error;
    throw new BuildError('exec.start', `containerd: ${error.message}`, { cause: error });
  });
}
