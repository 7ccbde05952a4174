/**
 * A gRPC server on one byte stream, over node:http2: what a client's session is, where roles are inverted.
 * Handlers see raw messages; typed ones are made by {@link unaryHandler}. BuildKit: session/session.go.
 */
import http2, { type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { sessionOptions, widenWindow } from './connection.js';
import { MessageStream } from './messages.js';
import { encodeBinaryHeader, encodeGrpcMessage, GrpcStatusError, grpcStatus } from './status.js';

export interface ServerCall {
  /** All values of a header, each as it was sent. */
  header(name: string): readonly string[];
  /** Names of all headers that were sent. */
  readonly headerNames: readonly string[];
  readonly messages: MessageStream;
  /** Aborts when the caller gives up or the connection goes. */
  readonly signal: AbortSignal;
}
/** Resolving ends the call with OK, rejecting with a status. */
export type Handler = (call: ServerCall) => Promise<void>;
/** By path, `/package.Service/Method`. Paths are compared in lower case: daemons do ask in lower case. */
export type Handlers = Readonly<Record<string, Handler>>;

export interface ServerOptions {
  readonly handlers: Handlers;
  /** Says what an error is on the wire. */
  readonly statusOf: (error: unknown) => {
    readonly code: number;
    readonly message: string;
    readonly details?: Uint8Array | undefined;
  };
}

export interface UnaryHandlerMethod<Req, Res> {
  readonly requestDeserialize: (bytes: Buffer) => Req;
  readonly responseSerialize: (value: Res) => Uint8Array;
}
export const unaryHandler =
  <Req, Res>(
    method: UnaryHandlerMethod<Req, Res>,
    handle: (request: Req, call: ServerCall) => Promise<Res>,
  ): Handler =>
  async (call) => {
    for await (const message of call.messages.messages()) {
      const answer = await handle(method.requestDeserialize(message), call);
      await call.messages.send(method.responseSerialize(answer));
      return;
    }
    throw new GrpcStatusError(grpcStatus.internal, 'the call brought no message');
  };

/** Serves `connection` until it closes. */
export class GrpcServer implements AsyncDisposable {
  readonly #session: Http2Session;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #statusOf: ServerOptions['statusOf'];
  /** Settles when the connection is closed and every handler has ended. */
  readonly closed: Promise<void>;
  readonly #running = new Set<Promise<void>>();

  constructor(connection: Duplex, options: ServerOptions) {
    this.#handlers = new Map(
      Object.entries(options.handlers).map(([path, handler]) => [path.toLowerCase(), handler]),
    );
    this.#statusOf = options.statusOf;
    this.#session = http2.performServerHandshake(connection, sessionOptions);
    widenWindow(this.#session);
    this.#session.on('stream', (stream: ServerHttp2Stream, headers, _flags, raw: string[]) => {
      const served = this.#serve(stream, headers, raw).finally(() => this.#running.delete(served));
      this.#running.add(served);
    });
    // A broken connection aborts the calls on it.
    this.#session.on('error', () => {});
    this.closed = this.#end();
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]): Promise<void> {
    stream.on('error', () => {});
    const gone = new AbortController();
    const lost = new GrpcStatusError(grpcStatus.canceled, 'the caller gave the call up');
    stream.on('close', () => gone.abort(lost));
    const call: ServerCall = {
      header: (name) => raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === name),
      headerNames: Object.keys(headers),
      messages: new MessageStream(stream, () => (gone.signal.aborted ? gone.signal.reason : undefined)),
      signal: gone.signal,
    };
    const path = String(headers[':path'] ?? '');
    try {
      const handler = this.#handlers.get(path.toLowerCase());
      if (!handler) throw new GrpcStatusError(grpcStatus.unimplemented, `unknown method ${path}`);
      stream.respond(responseHeaders, { waitForTrailers: true });
      await handler(call);
      finish(stream, { code: grpcStatus.ok, message: '' });
    } catch (error) {
      finish(stream, error instanceof GrpcStatusError ? error : this.#statusOf(error));
    }
  }

  async #end(): Promise<void> {
    await new Promise<void>((resolve) => this.#session.once('close', resolve));
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#session.destroyed) this.#session.destroy();
    await this.closed;
  }
}

const responseHeaders = { ':status': 200, 'content-type': 'application/grpc' } as const;

function finish(stream: ServerHttp2Stream, status: ReturnType<ServerOptions['statusOf']>): void {
  if (stream.destroyed || stream.closed) return;
  const trailers = {
    'grpc-status': String(status.code),
    ...(status.message ? { 'grpc-message': encodeGrpcMessage(status.message) } : {}),
    ...(status.details ? { 'grpc-status-details-bin': encodeBinaryHeader(status.details) } : {}),
  };
  if (!stream.headersSent) {
    stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    return;
  }
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end();
  // What the caller still sends is of no interest, but unread data would keep the stream open.
  stream.resume();
}
