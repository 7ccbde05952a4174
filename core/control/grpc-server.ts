/**
 * The small layer between @grpc/grpc-js and plain async handlers: metadata, cancellation, back-pressure and errors
 * with their details. Handlers know nothing of gRPC beyond {@link GrpcCall}.
 */
import {
  Metadata,
  type ServerDuplexStream,
  type ServerErrorResponse,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import type { Method } from '../../proto/services.js';
import { type CallStatus, callStatusOf, statusDetailsKey } from '../../proto/status.js';
import { silentTracing, type Tracing } from '../contracts/index.js';
import type { MessageDuplex } from '../gateway/bridge-methods.js';
import type { Call } from './call.js';

export interface GrpcCall extends Call {
  /** All values of a metadata key. */
  metadata(key: string): readonly string[];
  /** Sends header metadata before the first message of a stream. */
  sendHeader(values: Readonly<Record<string, string>>): void;
}

export type Unary<Req, ResIn> = (request: Req, call: GrpcCall) => Promise<ResIn>;
export type ServerStream<Req, ResIn> = (request: Req, call: GrpcCall) => AsyncIterable<ResIn>;
export type Bidi<Req, ResIn> = (stream: ServerDuplexStream<Req, ResIn>, call: GrpcCall) => Promise<void>;

/** Spans about spans would be noise. */
const TRACE_SERVICE = '/opentelemetry.';

/** Makes grpc-js handlers; `tracing` opens a span per unary call. */
export class Handlers {
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    handle: Unary<Req, ResIn>,
    toStatus: (error: unknown) => CallStatus = callStatusOf,
  ): UntypedHandleCall {
    return (call: ServerUnaryCall<Req, ResIn>, done: sendUnaryData<ResIn>): void => {
      const context = this.#contextOf(call);
      const parent = context.trace;
      const tracing = method.path.startsWith(TRACE_SERVICE) ? silentTracing : this.#tracing;
      tracing
        .trace(method.path.slice(1), { kind: 'server', parent }, (span) =>
          handle(call.request, { ...context, trace: span.context }),
        )
        .then(
          (response) => done(null, response),
          (error: unknown) => done(serverError(toStatus(error))),
        );
    };
  }

  serverStream<ReqIn, Req, ResIn, Res>(
    _method: Method<ReqIn, Req, ResIn, Res>,
    handle: ServerStream<Req, ResIn>,
  ): UntypedHandleCall {
    return (call: ServerWritableStream<Req, ResIn>): void => {
      const context = this.#contextOf(call);
      pump(call, handle(call.request, context), context.signal).then(
        () => call.end(),
        (error: unknown) => call.emit('error', serverError(callStatusOf(error))),
      );
    };
  }

  bidi<ReqIn, Req, ResIn, Res>(
    _method: Method<ReqIn, Req, ResIn, Res>,
    handle: Bidi<Req, ResIn>,
  ): UntypedHandleCall {
    return (call: ServerDuplexStream<Req, ResIn>): void => {
      handle(call, this.#contextOf(call)).then(
        () => call.end(),
        (error: unknown) => call.emit('error', serverError(callStatusOf(error))),
      );
    };
  }

  #contextOf(call: AnyServerCall): GrpcCall {
    const canceled = new AbortController();
    call.on('cancelled', () => canceled.abort());
    const metadata = (key: string): string[] => call.metadata.get(key).map(String);
    return {
      signal: canceled.signal,
      trace: this.#tracing.extract((name) => metadata(name)[0]),
      metadata,
      sendHeader: (values) => {
        const header = new Metadata();
        for (const [key, value] of Object.entries(values)) header.set(key, value);
        call.sendMetadata(header);
      },
    };
  }
}

/** A bidirectional call without its library. */
export function messagesOf<Req, ResIn>(
  call: ServerDuplexStream<Req, ResIn>,
  signal: AbortSignal,
): MessageDuplex<Req, ResIn> {
  return {
    received: call,
    send: async (message) => {
      signal.throwIfAborted();
      if (!call.write(message)) await drained(call, signal);
    },
  };
}

/** Writes at the pace the client reads. */
async function pump<T>(
  call: ServerWritableStream<unknown, T>,
  messages: AsyncIterable<T>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of messages) {
    signal.throwIfAborted();
    if (!call.write(message)) await drained(call, signal);
  }
}

async function drained(call: Drains, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => {
      call.off('drain', flowing);
      reject(signal.reason);
    };
    const flowing = (): void => {
      signal.removeEventListener('abort', aborted);
      resolve();
    };
    call.once('drain', flowing);
    signal.addEventListener('abort', aborted, { once: true });
  });
}

function serverError({ code, message, details }: CallStatus): ServerErrorResponse {
  const metadata = new Metadata();
  if (details) metadata.set(statusDetailsKey, Buffer.from(details));
  return Object.assign(new Error(message), { code, details: message, metadata });
}

interface Drains {
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

/** What the three kinds of server call have in common. */
interface AnyServerCall {
  readonly metadata: Metadata;
  on(event: 'cancelled', listener: () => void): unknown;
  sendMetadata(metadata: Metadata): void;
}
