/** One gRPC connection: typed unary and streaming calls with cancellation, trace context and errors with details. */
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  connectivityState,
  credentials,
  Metadata,
} from '@grpc/grpc-js';
import { BuildError, canceled, invalid, type SpanContext } from '../../core/contracts/index.js';
import { Health, type Method } from '../../proto/services.js';
import { errorOfServiceError } from '../../proto/status.js';
import type { Call } from '../control-api.js';
import { parseAddress } from './address.js';
import { CommandBridge } from './command-bridge.js';
import { type ClientTls, clientCredentials } from './tls.js';

/** containerd's limit, which every peer has. */
const MESSAGE_LIMIT = 16 << 20;

/** How soon a connection that failed is tried again, growing from the first to the second, in milliseconds. */
const RETRY_MS = [50, 1000] as const;
/** The longest time that a timer takes, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long a connection that did not come about may take to say why, in milliseconds. */
const LAST_FAILURE_MS = 200;

/** Turns a span into header pairs; what tracing's `inject` does. */
export type Inject = (context: SpanContext) => Readonly<Record<string, string>>;

export interface ConnectionOptions {
  readonly inject?: Inject | undefined;
  /** For tcp addresses. */
  readonly tls?: ClientTls | undefined;
}

export class Connection implements AsyncDisposable {
  readonly address: string;
  readonly #client: Client;
  readonly #inject: Inject;
  readonly #bridge: CommandBridge | undefined;

  private constructor(address: string, dialled: Dialled, inject: Inject = () => ({})) {
    this.address = address;
    this.#inject = inject;
    this.#bridge = dialled.bridge;
    this.#client = new Client(dialled.target, dialled.credentials, {
      'grpc.max_receive_message_length': MESSAGE_LIMIT,
      'grpc.max_send_message_length': MESSAGE_LIMIT,
      'grpc.initial_reconnect_backoff_ms': RETRY_MS[0],
      'grpc.max_reconnect_backoff_ms': RETRY_MS[1],
      ...dialled.options,
    });
  }

  /** Nothing is dialled before {@link ready} or a call. */
  static async open(address: string, { tls, inject }: ConnectionOptions = {}): Promise<Connection> {
    const target = parseAddress(address);
    if (target.kind === 'socket' && target.host !== undefined && tls) {
      return new Connection(address, { ...target, ...(await clientCredentials(tls, target.host)) }, inject);
    }
    if (tls) throw invalid('client.tls', `TLS is for tcp:// addresses, not for ${address}`);
    const plain = { credentials: credentials.createInsecure() };
    if (target.kind === 'socket') return new Connection(address, { ...target, ...plain }, inject);
    const bridge = await CommandBridge.open(target);
    return new Connection(address, { ...plain, target: bridge.target, bridge }, inject);
  }

  /** Waits until the daemon answers; Unavailable naming the address when it does not in time. */
  async ready(timeoutMs: number, signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let abort: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const late = new Late();
        // This one timer, which can be taken back, is also what keeps the process waiting.
        timer = setTimeout(() => reject(late), Math.min(timeoutMs, LONGEST_TIMER_MS));
        abort = () => reject(canceled(signal.reason));
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort, { once: true });
        this.#client.waitForReady(Number.POSITIVE_INFINITY, (error) => (error ? reject(error) : resolve()));
        // Whoever waits for ever waits for a command that succeeds, too.
        if (Number.isFinite(timeoutMs)) this.#bridge?.failed.catch(reject);
      });
    } catch (error) {
      if (!(error instanceof Late)) throw error;
      const why = new Error(`no connection within ${timeoutMs} ms${await this.#lastFailure()}`);
      throw unavailable(this.address, why);
    } finally {
      clearTimeout(timer);
      if (abort) signal.removeEventListener('abort', abort);
    }
  }

  /** What became of the last attempt, which only a call is told. */
  async #lastFailure(): Promise<string> {
    const error = await this.unary(Health.Check, {}, { signal: AbortSignal.timeout(LAST_FAILURE_MS) }).then(
      () => undefined,
      (reason: Error) => reason,
    );
    const [, last] = /Last error: (?:Error: )?(.*?)\. Resolution note:/s.exec(error?.message ?? '') ?? [];
    return last === undefined ? '' : `: ${last}`;
  }

  /** True once a connection stands. */
  get connected(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    call: Call & Headers,
  ): Promise<Res> {
    return new Promise<Res>((resolve, reject) => {
      if (call.signal.aborted) throw canceled(call.signal.reason);
      const running = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.#metadata(call),
        (error, response) => {
          call.signal.removeEventListener('abort', abort);
          if (error) reject(this.#errorOf(error, call.signal));
          else resolve(response as Res);
        },
      );
      const abort = (): void => running.cancel();
      call.signal.addEventListener('abort', abort, { once: true });
    });
  }

  async *stream<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    call: Call & Headers,
  ): AsyncIterable<Res> {
    if (call.signal.aborted) throw canceled(call.signal.reason);
    const running: ClientReadableStream<Res> = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.#metadata(call),
    );
    const abort = (): void => running.cancel();
    call.signal.addEventListener('abort', abort, { once: true });
    try {
      for await (const message of running) yield message as Res;
    } catch (error) {
      throw this.#errorOf(error, call.signal);
    } finally {
      call.signal.removeEventListener('abort', abort);
      running.cancel();
    }
  }

  bidi<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    metadata: Metadata,
  ): ClientDuplexStream<ReqIn, Res> {
    return this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#bridge?.[Symbol.asyncDispose]();
  }

  #metadata({ trace, headers }: Call & Headers): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries({ ...headers, ...(trace ? this.#inject(trace) : {}) })) {
      metadata.set(key, value);
    }
    return metadata;
  }

  #errorOf(error: unknown, signal: AbortSignal): BuildError {
    if (signal.aborted) return canceled(signal.reason);
    const known = errorOfServiceError(error);
    // What the daemon itself calls unavailable (a registry, say) comes over a connection that stands, or with a code.
    return known.code === 'remote.unavailable' && !this.connected ? unavailable(this.address, known) : known;
  }
}

/** Where and how to dial. */
interface Dialled {
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options?: ChannelOptions;
  readonly bridge?: CommandBridge;
}

class Late extends Error {}

interface Headers {
  readonly headers?: Readonly<Record<string, string>>;
}

const unavailable = (address: string, cause: Error): BuildError =>
  new BuildError('client.unavailable', `no daemon answers at ${address}: ${cause.message}`, {
    grpcCode: 'Unavailable',
    cause,
    hint: 'is buildkitd running there? --addr or BUILDKIT_HOST names the address',
  });
