/** LLBBridge for a client in this process: the calls that a program makes which brings its own definition. */
import { gateway, type Init, type MessageType } from '../../proto/index.js';
import type { LlbBridge } from '../gateway/llb-bridge.js';
import type { Call } from './call.js';

export class BridgeCalls {
  readonly #find: (signal: AbortSignal) => Promise<LlbBridge>;

  constructor(find: (signal: AbortSignal) => Promise<LlbBridge>) {
    this.#find = find;
  }

  async ping({ signal }: Call): Promise<gateway.PongResponse> {
    const bridge = await this.#find(signal);
    return complete(gateway.PongResponse, await bridge.ping());
  }

  async solve(request: Init<gateway.SolveRequest>, { signal }: Call): Promise<gateway.SolveResponse> {
    const bridge = await this.#find(signal);
    const answer = await bridge.solve(complete(gateway.SolveRequest, request), signal);
    return complete(gateway.SolveResponse, answer);
  }

  async return(request: Init<gateway.ReturnRequest>, { signal }: Call): Promise<gateway.ReturnResponse> {
    const bridge = await this.#find(signal);
    return complete(gateway.ReturnResponse, await bridge.return(complete(gateway.ReturnRequest, request)));
  }
}

/** Fills in every field that was left out, at every depth, as a trip over the wire does. */
const complete = <T>(type: MessageType<T>, value: NoInfer<Init<T>>): T =>
  type.decode(type.encode(value).finish());
