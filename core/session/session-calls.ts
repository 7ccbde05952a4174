/** Calls to a remote session: errors come as BuildErrors, the span of the build goes along (wire facts E1.8). */
import { errorOfCall } from '../../proto/status.js';
import { BuildError, canceled } from '../contracts/errors.js';
import type { SpanContext, Tracing } from '../contracts/tracing.js';
import type { CallHeaders, ClientCall, GrpcClient, UnaryMethod } from '../util/grpc-h2/client.js';
import { GrpcStatusError } from '../util/grpc-h2/status.js';

export interface SessionCallsOptions {
  readonly client: GrpcClient;
  readonly tracing: Tracing;
  /** Of the build that the session serves now. */
  readonly span: () => SpanContext | undefined;
  /** Lower-cased paths of what the client serves. */
  readonly methods: ReadonlySet<string>;
}

export class SessionCalls {
  readonly #options: SessionCallsOptions;

  constructor(options: SessionCallsOptions) {
    this.#options = options;
  }

  supports(path: string): boolean {
    return this.#options.methods.has(path.toLowerCase());
  }

  open(path: string, headers: CallHeaders, signal: AbortSignal): ClientCall {
    try {
      return this.#options.client.call(path, { headers: { ...this.#trace(), ...headers }, signal });
    } catch (error) {
      throw sessionError(error, signal);
    }
  }

  async unary<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    signal: AbortSignal,
    headers: CallHeaders = {},
  ): Promise<Res> {
    try {
      const all = { ...this.#trace(), ...headers };
      return await this.#options.client.unary(method, request, { headers: all, signal });
    } catch (error) {
      throw sessionError(error, signal);
    }
  }

  async *serverStream<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    headers: CallHeaders,
    signal: AbortSignal,
  ): AsyncGenerator<Res, void, void> {
    const call = this.open(method.path, headers, signal);
    try {
      await call.messages.send(method.requestSerialize(request));
      call.end();
      for await (const message of call.messages.messages()) yield method.responseDeserialize(message);
      await call.status;
    } catch (error) {
      throw sessionError(await failureOf(call, error), signal);
    } finally {
      call.cancel();
    }
  }

  #trace(): CallHeaders {
    const span = this.#options.span();
    return span ? this.#options.tracing.inject(span) : {};
  }
}

/** What a call's failure means to whoever made it. */
export function sessionError(error: unknown, signal: AbortSignal): BuildError {
  if (signal.aborted) return canceled(signal.reason);
  if (error instanceof GrpcStatusError) return errorOfCall(error);
  return BuildError.from(error);
}

/** A broken stream says little; the call's status, once it is there, says why. */
export async function failureOf(call: ClientCall, error: unknown): Promise<unknown> {
  call.cancel();
  try {
    await call.status;
    return error;
  } catch (status) {
    return status;
  }
}
