/**
 * The methods of LLBBridge, once for every transport: the daemon's sockets, a frontend's stdio, calls in this process.
 */
import { LLBBridge, type Method } from '../../proto/services.js';
import type { LlbBridge } from './llb-bridge.js';

/** Where the methods are added; it knows which bridge a call is for. */
export interface BridgeTransport {
  unary<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    handle: (bridge: LlbBridge, request: Req, signal: AbortSignal) => Promise<ResIn>,
  ): void;
  /** `send` resolves when there is room for the next message. */
  bidi<ReqIn, Req, ResIn, Res>(
    method: Method<ReqIn, Req, ResIn, Res>,
    handle: (bridge: LlbBridge, stream: MessageDuplex<Req, ResIn>, signal: AbortSignal) => Promise<void>,
  ): void;
}

export interface MessageDuplex<In, Out> {
  readonly received: AsyncIterable<In>;
  /** Resolves when there is room for the next message. */
  send(message: Out): Promise<void>;
}

export function addBridgeMethods(transport: BridgeTransport): void {
  transport.unary(LLBBridge.Ping, (bridge) => bridge.ping());
  transport.unary(LLBBridge.Solve, (bridge, request, signal) => bridge.solve(request, signal));
  transport.unary(LLBBridge.Return, (bridge, request) => bridge.return(request));
  transport.unary(LLBBridge.Inputs, (bridge) => bridge.inputs());
  transport.unary(LLBBridge.Warn, (bridge, request) => bridge.warn(request));
  transport.unary(LLBBridge.Evaluate, (bridge, request, signal) => bridge.evaluate(request, signal));
  transport.unary(LLBBridge.ReadFile, (bridge, request, signal) => bridge.readFile(request, signal));
  transport.unary(LLBBridge.ReadDir, (bridge, request, signal) => bridge.readDir(request, signal));
  transport.unary(LLBBridge.StatFile, (bridge, request, signal) => bridge.statFile(request, signal));
  transport.unary(LLBBridge.ResolveImageConfig, (bridge, request, signal) =>
    bridge.resolveImageConfig(request, signal),
  );
  transport.unary(LLBBridge.ResolveSourceMeta, (bridge, request, signal) =>
    bridge.resolveSourceMeta(request, signal),
  );
  transport.unary(LLBBridge.NewContainer, (bridge, request, signal) => bridge.newContainer(request, signal));
  transport.unary(LLBBridge.ReleaseContainer, (bridge, request) => bridge.releaseContainer(request));
  transport.bidi(LLBBridge.ExecProcess, (bridge, stream, signal) => bridge.execProcess(stream, signal));
}
