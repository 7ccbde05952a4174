/** How LLBBridge is reached: over a frontend's stdio, or over the connection of a client. Errors are BuildErrors. */
import type { Method } from '../../proto/services.js';

export interface BridgeConnection {
  unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    request: ReqIn,
    signal: AbortSignal,
  ): Promise<Res>;
  bidi<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    signal: AbortSignal,
  ): BridgeStream<ReqIn, Res>;
}

export interface BridgeStream<Out, In> {
  readonly received: AsyncIterable<In>;
  /** Resolves when there is room for the next message. */
  send(message: Out): Promise<void>;
  /** No more messages from here. */
  end(): void;
}
