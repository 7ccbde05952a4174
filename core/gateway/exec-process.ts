/**
 * ExecProcess: any number of processes over one stream of messages, each under the id its client gave it.
 *
 * 1. `Started` goes before any output, `Exit` after all of it, then `EOF` for each open output, then `Done`.
 * 2. A process that reads slowly holds up the stream once {@link STDIN_AHEAD} bytes wait for it.
 * 3. The stream's end kills nothing: processes live until they end or their container is released.
 *
 * BuildKit: frontend/gateway/gateway.go ExecProcess.
 */
import os from 'node:os';
import { processFromProto } from '../../proto/container.js';
import type { gateway, Init } from '../../proto/index.js';
import { statusOf } from '../../proto/status.js';
import { BuildError, invalid, notFound } from '../contracts/errors.js';
import type { RunningProcess } from '../contracts/executor.js';
import type { GatewayContainer } from '../contracts/gateway-container.js';
import { deferred, unlessAborted } from '../util/deferred.js';
import type { MessageDuplex } from './bridge-methods.js';
import { ByteQueue } from './byte-queue.js';

type Send = (message: Init<gateway.ExecMessage>) => Promise<void>;
type FindContainer = (id: string) => Promise<GatewayContainer>;

const STDIN_AHEAD = 1 << 20;
/** What an exit code says when there is none. */
const UNKNOWN_EXIT = 255;

export async function execProcess(
  find: FindContainer,
  { received, send }: MessageDuplex<gateway.ExecMessage, Init<gateway.ExecMessage>>,
  signal: AbortSignal,
): Promise<void> {
  const processes = new Map<string, BridgeProcess>();
  for await (const message of untilAborted(received, signal)) {
    const id = message.ProcessID;
    if (id === '') throw invalid('gateway.process', 'ProcessID required');
    const known = processes.get(id);
    if (message.Input === 'Init' && message.Init) {
      if (known) throw inUse(id);
      const process = new BridgeProcess(id, message.Init, send);
      processes.set(id, process);
      await process.start(find);
    } else {
      if (!known) throw notFound('gateway.process', `IO for process "${id}" not found`);
      await known.take(message);
    }
  }
  await Promise.all([...processes.values()].map(({ done }) => done));
}

/** Some streams stay open, and silent, when their client is gone. */
async function* untilAborted<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await unlessAborted(iterator.next(), signal);
    if (done) return;
    yield value;
  }
}

const inUse = (id: string): BuildError =>
  new BuildError('gateway.process', `Process ${id} already exists`, { grpcCode: 'AlreadyExists' });

class BridgeProcess {
  /** All messages about it have been sent. */
  done: Promise<void> = Promise.resolve();
  readonly #id: string;
  readonly #init: gateway.InitMessage;
  readonly #send: Send;
  readonly #stdin = new ByteQueue(STDIN_AHEAD);
  readonly #announced = deferred<void>();
  #running: RunningProcess | undefined;

  constructor(id: string, init: gateway.InitMessage, send: Send) {
    const foreign = init.Fds.find((fd) => fd > 2);
    if (foreign !== undefined) throw invalid('gateway.process', `fd ${foreign} is none of 0, 1 and 2`);
    this.#id = id;
    this.#init = init;
    this.#send = send;
  }

  /** That it could not be started is told as its exit. */
  async start(find: FindContainer): Promise<void> {
    const container = await find(this.#init.ContainerID);
    let failure: unknown;
    try {
      this.#running = await container.start(processFromProto(this.#init), this.#io(), never);
    } catch (error) {
      failure = error;
    }
    await this.#send({ ProcessID: this.#id, Started: {} });
    this.#announced.resolve();
    this.done = this.#follow(failure);
    // Told when the stream ends.
    this.done.catch(() => {});
  }

  async take(message: gateway.ExecMessage): Promise<void> {
    switch (message.Input) {
      case 'File':
        return this.#write(message.File);
      case 'Resize':
        this.#running?.resize({ rows: message.Resize?.Rows ?? 0, columns: message.Resize?.Cols ?? 0 });
        return;
      case 'Signal':
        this.#running?.signal(signalOf(message.Signal?.Name ?? ''));
        return;
      default:
        throw invalid('gateway.process', `a client cannot send ${message.Input ?? 'an empty message'}`);
    }
  }

  async #write(file: gateway.FdMessage | undefined): Promise<void> {
    if (!file) return;
    if (file.Fd !== 0 || !this.#init.Fds.includes(0)) {
      throw new BuildError('gateway.process', `fd ${file.Fd} unavailable to write`, {
        grpcCode: 'OutOfRange',
      });
    }
    if (file.Data.length > 0) await this.#stdin.push(file.Data);
    if (file.EOF) this.#stdin.end();
  }

  #io(): Parameters<GatewayContainer['start']>[1] {
    const output = (fd: number) => async (data: Uint8Array) => {
      if (!this.#init.Fds.includes(fd)) return;
      await this.#announced.promise;
      // Where nobody listens any more, the process goes on unheard.
      await this.#send({ ProcessID: this.#id, File: { Fd: fd, EOF: false, Data: data } }).catch(() => {});
    };
    return {
      ...(this.#init.Fds.includes(0) ? { stdin: this.#stdin } : {}),
      stdout: output(1),
      stderr: output(2),
    };
  }

  async #follow(failure: unknown): Promise<void> {
    const exit = await this.#exit(failure);
    this.#stdin.close();
    await this.#send({ ProcessID: this.#id, Exit: exit });
    for (const fd of this.#init.Fds.filter((open) => open > 0)) {
      await this.#send({ ProcessID: this.#id, File: { Fd: fd, EOF: true, Data: new Uint8Array() } });
    }
    await this.#send({ ProcessID: this.#id, Done: {} });
  }

  async #exit(failure: unknown): Promise<Init<gateway.ExitMessage>> {
    try {
      if (failure !== undefined) throw failure;
      const { exitCode } = (await this.#running?.ended) ?? { exitCode: UNKNOWN_EXIT };
      if (exitCode === 0) return { Code: 0 };
      return { Code: exitCode, Error: statusOf(exitError(exitCode)) };
    } catch (error) {
      return { Code: UNKNOWN_EXIT, Error: statusOf(error) };
    }
  }
}

/** Only the release of its container ends a process from here. */
const never = new AbortController().signal;

const exitError = (exitCode: number): BuildError =>
  new BuildError('unknown', `exit code: ${exitCode}`, { details: [{ type: 'exit', exitCode }] });

/** With or without `SIG`. */
function signalOf(name: string): NodeJS.Signals {
  const full = (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals;
  if (os.constants.signals[full] !== undefined) return full;
  throw invalid('gateway.process', `Unknown signal ${name}`);
}
