/** LLBBridge of a build that a client drives itself, over the client's connection. Wire facts E2. */
import { Metadata } from '@grpc/grpc-js';
import type { Method } from '../../proto/services.js';
import { errorOfServiceError } from '../../proto/status.js';
import type { Connection } from '../grpc/connection.js';
import type { BridgeConnection, BridgeStream } from './connection.js';

const BUILD_ID = 'buildkit-controlapi-buildid';

export class ControlBridge implements BridgeConnection {
  readonly #connection: Connection;
  readonly #ref: string;

  constructor(connection: Connection, ref: string) {
    this.#connection = connection;
    this.#ref = ref;
  }

  unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    signal: AbortSignal,
  ): Promise<Res> {
    return this.#connection.unary(method, request, { signal, headers: { [BUILD_ID]: this.#ref } });
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
}
