/** LLBBridge of a build that a client leads itself, over the client's connection. Wire facts E2. */
import { Metadata } from '@grpc/grpc-js';
import type { gateway, Init } from '../../proto/index.js';
import { LLBBridge, type Method } from '../../proto/services.js';
import { errorOfServiceError } from '../../proto/status.js';
import type { BridgeApi, Call } from '../control-api.js';
import type { BridgeStream } from '../gateway/connection.js';
import type { Connection } from './connection.js';

const BUILD_ID = 'buildkit-controlapi-buildid';

export class GrpcBridge implements BridgeApi {
  readonly #connection: Connection;
  readonly #ref: string;

  constructor(connection: Connection, ref: string) {
    this.#connection = connection;
    this.#ref = ref;
  }

  ping(call: Call): Promise<gateway.PongResponse> {
    return this.#unary(LLBBridge.Ping, {}, call);
  }

  solve(request: Init<gateway.SolveRequest>, call: Call): Promise<gateway.SolveResponse> {
    return this.#unary(LLBBridge.Solve, request, call);
  }

  return(request: Init<gateway.ReturnRequest>, call: Call): Promise<gateway.ReturnResponse> {
    return this.#unary(LLBBridge.Return, request, call);
  }

  unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    signal: AbortSignal,
  ): Promise<Res> {
    return this.#unary(method, request, { signal });
  }

  bidi<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    signal: AbortSignal,
  ): BridgeStream<ReqIn, Res> {
    const metadata = new Metadata();
    metadata.set(BUILD_ID, this.#ref);
    const call = this.#connection.bidi(method, metadata);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    call.once('close', () => signal.removeEventListener('abort', cancel));
    async function* received(): AsyncGenerator<Res> {
      try {
        for await (const message of call) yield message as Res;
      } catch (error) {
        throw errorOfServiceError(error);
      }
    }
    return {
      received: received(),
      send: (message) =>
        call.write(message) ? Promise.resolve() : new Promise((resolve) => call.once('drain', resolve)),
      end: () => call.end(),
    };
  }

  #unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    call: Call,
  ): Promise<Res> {
    return this.#connection.unary(method, request, { ...call, headers: { [BUILD_ID]: this.#ref } });
  }
}
