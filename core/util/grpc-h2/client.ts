/**
 * A gRPC client on one byte stream, over node:http2. Why not grpc-js: repeated headers must stay apart
 * (`followpaths`), and bulk data must pass without copies. BuildKit: session/grpc.go.
 */
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import { sessionOptions, widenWindow } from './connection.js';
import { MessageStream } from './messages.js';
import { decodeBinaryHeader, decodeGrpcMessage, GrpcStatusError, grpcStatus } from './status.js';

/** Names in lower case; the values of one name travel as headers of their own. */
export type CallHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface CallOptions {
  readonly headers?: CallHeaders;
  readonly signal: AbortSignal;
}

/** What a method is, as far as a call needs it (proto/services.ts has them). */
export interface UnaryMethod<Req, Res> {
  readonly path: string;
  readonly requestSerialize: (value: Req) => Uint8Array;
  readonly responseDeserialize: (bytes: Buffer) => Res;
}

export class GrpcClient implements AsyncDisposable {
  readonly #session: ClientHttp2Session;
  readonly closed: Promise<void>;

  /** Speaks HTTP/2 with prior knowledge on `connection`, which it owns from now on. */
  constructor(connection: Duplex) {
    this.#session = http2.connect('http://localhost', {
      ...sessionOptions,
      createConnection: () => connection,
    });
    this.#session.on('connect', widenWindow);
    // A failed connection fails its calls, each with its own error; here it only ends.
    this.#session.on('error', () => {});
    this.closed = new Promise((resolve) => this.#session.once('close', resolve));
  }

  get usable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** Opens a call. Aborting the signal resets it. */
  call(path: string, options: CallOptions): ClientCall {
    options.signal.throwIfAborted();
    if (!this.usable) throw new GrpcStatusError(grpcStatus.unavailable, 'the connection is closed');
    const stream = this.#session.request(requestHeaders(path, options.headers ?? {}), { endStream: false });
    return new ClientCall(stream, options.signal, () => this.#session.destroyed);
  }

  async unary<Req, Res>(method: UnaryMethod<Req, Res>, request: Req, options: CallOptions): Promise<Res> {
    const call = this.call(method.path, options);
    await call.messages.send(method.requestSerialize(request));
    call.end();
    let answer: Buffer | undefined;
    for await (const message of call.messages.messages()) answer ??= message;
    await call.status;
    if (!answer) throw new GrpcStatusError(grpcStatus.internal, `${method.path} answered nothing`);
    return method.responseDeserialize(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#session.destroyed) this.#session.destroy();
    await this.closed;
  }
}

function requestHeaders(path: string, headers: CallHeaders): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = {
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': 'localhost',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  for (const [name, value] of Object.entries(headers)) {
    all[name] = typeof value === 'string' ? value : [...value];
  }
  return all;
}

export class ClientCall {
  readonly messages: MessageStream;
  /** Resolves when the server answered OK; rejects with the status otherwise. */
  readonly status: Promise<void>;
  readonly #stream: ClientHttp2Stream;
  #failure: unknown;

  constructor(stream: ClientHttp2Stream, signal: AbortSignal, disconnected: () => boolean) {
    this.#stream = stream;
    this.messages = new MessageStream(stream, () => this.#failure);
    this.status = this.#outcome(stream, signal, disconnected);
    // Whoever only writes or reads sees the failure there.
    this.status.catch(() => {});
  }

  /** No more messages from here. */
  end(): void {
    if (!this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.end();
  }

  /** Gives the call up; harmless once it is over. */
  cancel(): void {
    if (!this.#stream.closed) this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  #outcome(stream: ClientHttp2Stream, signal: AbortSignal, disconnected: () => boolean): Promise<void> {
    let headers: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    let broken: Error | undefined;
    stream.on('response', (received) => {
      headers = received;
      if (received['grpc-status'] !== undefined) this.end();
    });
    stream.on('trailers', (received) => {
      trailers = received;
      // The server is done: an open half of ours would keep the stream.
      this.end();
    });
    stream.on('error', (error) => {
      broken ??= error;
    });
    const abort = (): void => {
      this.#failure ??= signal.reason;
      this.cancel();
    };
    signal.addEventListener('abort', abort, { once: true });
    return new Promise((resolve, reject) => {
      stream.on('close', () => {
        signal.removeEventListener('abort', abort);
        this.#failure ??= outcomeOf({
          headers,
          trailers,
          broken,
          reset: stream.rstCode,
          disconnected: disconnected(),
        });
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      });
    });
  }
}

interface StreamEnd {
  readonly headers: IncomingHttpHeaders | undefined;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly broken: Error | undefined;
  readonly reset: number | undefined;
  readonly disconnected: boolean;
}

function outcomeOf(end: StreamEnd): GrpcStatusError | undefined {
  const { headers, trailers, broken, reset, disconnected } = end;
  // A call that fails at once answers with headers only.
  const final = trailers?.['grpc-status'] === undefined ? headers : trailers;
  const code = final?.['grpc-status'];
  if (final && code !== undefined) return statusError(Number(code), final);
  if (headers && Number(headers[':status']) !== 200) {
    return new GrpcStatusError(grpcStatus.unknown, `unexpected HTTP status ${headers[':status']}`);
  }
  if (reset === http2.constants.NGHTTP2_CANCEL && !disconnected) {
    return new GrpcStatusError(grpcStatus.canceled, 'the other side canceled the call');
  }
  return new GrpcStatusError(
    grpcStatus.unavailable,
    `the call ended without a status${broken ? `: ${broken.message}` : ''}`,
  );
}

function statusError(code: number, final: IncomingHttpHeaders): GrpcStatusError | undefined {
  if (code === grpcStatus.ok) return undefined;
  const details = final['grpc-status-details-bin'];
  return new GrpcStatusError(
    code,
    decodeGrpcMessage(String(final['grpc-message'] ?? '')),
    typeof details === 'string' ? decodeBinaryHeader(details) : undefined,
  );
}
