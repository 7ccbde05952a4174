/** LLBBridge on this process's stdin and stdout, where a daemon listens that runs it as a frontend. Wire facts E11. */
import { Console } from 'node:console';
import { Duplex } from 'node:stream';
import { GrpcClient } from '../../core/util/grpc-h2/client.js';
import { GrpcStatusError } from '../../core/util/grpc-h2/status.js';
import type { Method } from '../../proto/services.js';
import { errorOfCall } from '../../proto/status.js';
import type { BridgeConnection, BridgeStream } from './connection.js';

export class StdioBridge implements BridgeConnection, AsyncDisposable {
  readonly #client: GrpcClient;

  constructor() {
    // What is printed must not get between the messages.
    globalThis.console = new Console(process.stderr, process.stderr);
    this.#client = new GrpcClient(stdio());
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

  /** The daemon sees the end of the process's output; nothing keeps the process from ending. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    process.stdin.destroy();
  }
}

const buildError = (error: unknown): unknown =>
  error instanceof GrpcStatusError ? errorOfCall(error) : error;

/** Writes complete at once, as HTTP/2 sessions need it; the peer's windows bound what gathers. */
function stdio(): Duplex {
  const { stdin, stdout } = process;
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => stdin.resume(),
    write: (data: Buffer, _encoding, done) => {
      stdout.write(data);
      done();
    },
    final: (done) => done(),
  });
  stdin.on('data', (data: Buffer) => {
    if (!stream.push(data)) stdin.pause();
  });
  stdin.on('end', () => stream.push(null));
  stdin.on('error', (error) => stream.destroy(error));
  stdout.on('error', (error) => stream.destroy(error));
  return stream;
}
