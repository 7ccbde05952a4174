/** LLBBridge on a byte stream, whose other end serves it. */
import type { Duplex } from 'node:stream';
import { GrpcClient } from '../../core/util/grpc-h2/client.js';
import { GrpcStatusError } from '../../core/util/grpc-h2/status.js';
import type { Method } from '../../proto/services.js';
import { errorOfCall } from '../../proto/status.js';
import type { BridgeConnection, BridgeStream } from './connection.js';

export class StreamBridge implements BridgeConnection, AsyncDisposable {
  readonly #client: GrpcClient;

  /** Owns the stream from now on. */
  constructor(connection: Duplex) {
    this.#client = new GrpcClient(connection);
  }

  async unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    signal: AbortSignal,
  ): Promise<Res> {
    try {
      return await this.#client.unary(method, request, { signal });
    } catch (error) {
      throw buildError(error);
    }
  }

  bidi<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    signal: AbortSignal,
  ): BridgeStream<ReqIn, Res> {
    const call = this.#client.call(method.path, { signal });
    async function* received(): AsyncGenerator<Res> {
      try {
        for await (const message of call.messages.messages()) yield method.responseDeserialize(message);
        await call.status;
      } catch (error) {
        throw buildError(error);
      }
    }
    return {
      received: received(),
      send: (message) => call.messages.send(method.requestSerialize(message)),
      end: () => call.end(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

const buildError = (error: unknown): unknown =>
  error instanceof GrpcStatusError ? errorOfCall(error) : error;
