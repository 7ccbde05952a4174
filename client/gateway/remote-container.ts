/**
 * Containers of a frontend that is no part of the daemon. All their processes share one ExecProcess stream, opened for
 * the first of them. BuildKit: frontend/gateway/grpcclient/client.go.
 */
import {
  BuildError,
  type ContainerProcess,
  type ContainerRequest,
  canceled,
  type ExecIo,
  type ExecResult,
  type GatewayContainer,
  type RunningProcess,
} from '../../core/contracts/index.js';
import { deferred } from '../../core/util/deferred.js';
import { newId } from '../../core/util/identity.js';
import { containerToProto, processToProto } from '../../proto/container.js';
import type { gateway, Init } from '../../proto/index.js';
import { LLBBridge } from '../../proto/services.js';
import { errorOf } from '../../proto/status.js';
import type { BridgeConnection, BridgeStream } from './connection.js';

type Message = gateway.ExecMessage;
type Send = (message: Init<Message>) => Promise<void>;

const never = new AbortController().signal;

export class RemoteContainers implements AsyncDisposable {
  readonly #connection: BridgeConnection;
  readonly #processes = new Map<string, RemoteProcess>();
  readonly #over = new AbortController();
  #stream: BridgeStream<Init<Message>, Message> | undefined;

  constructor(connection: BridgeConnection) {
    this.#connection = connection;
  }

  async create(request: ContainerRequest, signal: AbortSignal): Promise<GatewayContainer> {
    const id = newId();
    await this.#connection.unary(LLBBridge.NewContainer, containerToProto(id, request), signal);
    return {
      start: (process, io, started) => this.#start(id, process, io, started),
      [Symbol.asyncDispose]: async () => {
        await this.#release(id);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream?.end();
    this.#over.abort(canceled());
  }

  /** Some daemons answer with how its first process ended, which is known already. */
  async #release(id: string): Promise<void> {
    try {
      await this.#connection.unary(LLBBridge.ReleaseContainer, { ContainerID: id }, never);
    } catch (error) {
      if (!BuildError.from(error).details.some(({ type }) => type === 'exit')) throw error;
    }
  }

  async #start(
    container: string,
    process: ContainerProcess,
    io: ExecIo,
    signal: AbortSignal,
  ): Promise<RunningProcess> {
    signal.throwIfAborted();
    const stream = this.#open();
    const id = `${container}:${newId()}`;
    const remote = new RemoteProcess(id, io, (message) => stream.send(message));
    this.#processes.set(id, remote);
    const forget = (): boolean => this.#processes.delete(id);
    // However it ends: who waits for `ended` is told how.
    void remote.ended.then(forget, forget);
    const fds = io.stdin ? [0, 1, 2] : [1, 2];
    await stream.send({ ProcessID: id, Init: processToProto(container, process, fds) });
    await remote.started;
    remote.killWhen(signal);
    return remote;
  }

  #open(): BridgeStream<Init<Message>, Message> {
    if (!this.#stream) {
      this.#stream = this.#connection.bidi(LLBBridge.ExecProcess, this.#over.signal);
      void this.#receive(this.#stream);
    }
    return this.#stream;
  }

  async #receive(stream: BridgeStream<Init<Message>, Message>): Promise<void> {
    let failure: unknown = new BuildError('gateway.process', 'the stream of processes has ended');
    try {
      for await (const message of stream.received)
        await this.#processes.get(message.ProcessID)?.take(message);
    } catch (error) {
      failure = error;
    }
    this.#stream = undefined;
    for (const process of this.#processes.values()) process.fail(failure);
  }
}

class RemoteProcess implements RunningProcess {
  readonly #id: string;
  readonly #io: ExecIo;
  readonly #send: Send;
  readonly #started = deferred<void>();
  readonly #ended = deferred<ExecResult>();
  #exit: gateway.ExitMessage | undefined;

  constructor(id: string, io: ExecIo, send: Send) {
    this.#id = id;
    this.#io = io;
    this.#send = send;
    // A failure is told to who waits for one of them. Nobody has to, and then it is no unhandled one.
    this.#started.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  get ended(): Promise<ExecResult> {
    return this.#ended.promise;
  }

  signal(name: NodeJS.Signals): void {
    // The wire has names without `SIG`.
    this.#tell({ Signal: { Name: name.replace(/^SIG/, '') } });
  }

  resize({ rows, columns }: { readonly rows: number; readonly columns: number }): void {
    this.#tell({ Resize: { Rows: rows, Cols: columns } });
  }

  killWhen(signal: AbortSignal): void {
    const kill = (): void => this.signal('SIGKILL');
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    const stop = (): void => signal.removeEventListener('abort', kill);
    void this.ended.then(stop, stop);
  }

  async take(message: Message): Promise<void> {
    switch (message.Input) {
      case 'Started':
        this.#started.resolve();
        if (this.#io.stdin) void this.#feed(this.#io.stdin);
        return;
      case 'File':
        return this.#output(message.File);
      case 'Exit':
        this.#exit = message.Exit;
        return;
      case 'Done':
        this.#finish();
        return;
      default:
        throw new BuildError('gateway.process', `unexpected message for ${this.#id}: ${message.Input}`);
    }
  }

  fail(error: unknown): void {
    this.#started.reject(error);
    this.#ended.reject(error);
  }

  async #output(file: gateway.FdMessage | undefined): Promise<void> {
    if (!file || file.Data.length === 0) return;
    await (file.Fd === 1 ? this.#io.stdout(file.Data) : this.#io.stderr(file.Data));
  }

  #finish(): void {
    const { Code = 0, Error: status } = this.#exit ?? {};
    const error = status && errorOf(status);
    const exited = error?.details.some(({ type }) => type === 'exit') ?? true;
    if (exited) this.#ended.resolve({ exitCode: Code, oomKilled: false });
    else this.#ended.reject(error);
  }

  async #feed(stdin: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const Data of stdin) {
        await this.#send({ ProcessID: this.#id, File: { Fd: 0, EOF: false, Data } });
      }
      await this.#send({ ProcessID: this.#id, File: { Fd: 0, EOF: true, Data: new Uint8Array() } });
    } catch (error) {
      this.signal('SIGKILL');
      this.fail(error);
    }
  }

  /** A stream that is over fails its processes where it is read. */
  #tell(input: Omit<Init<Message>, 'ProcessID'>): void {
    this.#send({ ProcessID: this.#id, ...input }).catch(() => {});
  }
}
