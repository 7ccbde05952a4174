/**
 * LLBBridge for a client in this process, whose build brings its own frontend. Messages go through their bytes, as over
 * a socket: what was left out is filled in, and neither side sees what the other changes.
 */
import type { gateway, Init } from '../../proto/index.js';
import { LLBBridge, type Method } from '../../proto/services.js';
import { unsupported } from '../contracts/index.js';
import { addBridgeMethods, type MessageDuplex } from '../gateway/bridge-methods.js';
import type { LlbBridge } from '../gateway/llb-bridge.js';
import { deferred } from '../util/deferred.js';
import type { Call } from './call.js';

type Handle = (bridge: LlbBridge, request: Buffer, signal: AbortSignal) => Promise<Buffer>;
type HandleStream = (
  bridge: LlbBridge,
  stream: MessageDuplex<Buffer, Buffer>,
  signal: AbortSignal,
) => Promise<void>;

const unaries = new Map<string, Handle>();
const streams = new Map<string, HandleStream>();

addBridgeMethods({
  unary: (method, handle) => {
    unaries.set(method.path, async (bridge, request, signal) =>
      method.responseSerialize(await handle(bridge, method.requestDeserialize(request), signal)),
    );
  },
  bidi: (method, handle) => {
    streams.set(method.path, (bridge, { received, send }, signal) =>
      handle(
        bridge,
        {
          received: mapped(received, method.requestDeserialize),
          send: (message) => send(method.responseSerialize(message)),
        },
        signal,
      ),
    );
  },
});

export class BridgeCalls {
  readonly #find: (signal: AbortSignal) => Promise<LlbBridge>;

  constructor(find: (signal: AbortSignal) => Promise<LlbBridge>) {
    this.#find = find;
  }

  async unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    signal: AbortSignal,
  ): Promise<Res> {
    const handle = unaries.get(method.path);
    if (!handle) throw unknownMethod(method.path);
    const answer = await handle(await this.#find(signal), method.requestSerialize(request), signal);
    return method.responseDeserialize(answer);
  }

  bidi<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    signal: AbortSignal,
  ): MessageDuplex<Res, ReqIn> & { end(): void } {
    const handle = streams.get(method.path);
    if (!handle) throw unknownMethod(method.path);
    const requests = new MessageQueue();
    const answers = new MessageQueue();
    const running = this.#find(signal).then((bridge) =>
      handle(bridge, { received: requests, send: async (message) => answers.push(message) }, signal),
    );
    running.then(
      () => answers.end(),
      (error: unknown) => answers.end(error),
    );
    return {
      received: mapped(answers, method.responseDeserialize),
      send: async (message) => requests.push(method.requestSerialize(message)),
      end: () => requests.end(),
    };
  }

  ping({ signal }: Call): Promise<gateway.PongResponse> {
    return this.unary(LLBBridge.Ping, {}, signal);
  }

  solve(request: Init<gateway.SolveRequest>, { signal }: Call): Promise<gateway.SolveResponse> {
    return this.unary(LLBBridge.Solve, request, signal);
  }

  return(request: Init<gateway.ReturnRequest>, { signal }: Call): Promise<gateway.ReturnResponse> {
    return this.unary(LLBBridge.Return, request, signal);
  }
}

const unknownMethod = (path: string): Error => unsupported('gateway.method', `unknown method ${path}`);

async function* mapped<In, Out>(
  messages: AsyncIterable<In>,
  decode: (message: In) => Out,
): AsyncGenerator<Out> {
  for await (const message of messages) yield decode(message);
}

/** Small messages of an attended process: nobody waits to write. */
class MessageQueue implements AsyncIterable<Buffer> {
  readonly #messages: Buffer[] = [];
  #arrived = deferred<void>();
  #ended = false;
  #failure: unknown;

  push(message: Buffer): void {
    this.#messages.push(message);
    this.#arrived.resolve();
  }

  end(failure?: unknown): void {
    this.#ended = true;
    this.#failure = failure;
    this.#arrived.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) yield message;
      else if (!this.#ended) {
        this.#arrived = deferred();
        await this.#arrived.promise;
      } else if (this.#failure !== undefined) throw this.#failure;
      else return;
    }
  }
}
