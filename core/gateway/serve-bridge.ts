/** Serves LLBBridge on a byte stream: what a frontend in a container talks to. BuildKit: frontend/gateway/gateway.go. */
import type { Duplex } from 'node:stream';
import { Health } from '../../proto/services.js';
import { callStatusOf } from '../../proto/status.js';
import { MAX_MESSAGE } from '../util/grpc-h2/messages.js';
import { GrpcServer, type Handler, type ServerCall, unaryHandler } from '../util/grpc-h2/server.js';
import { GrpcStatusError, grpcStatus } from '../util/grpc-h2/status.js';
import { addBridgeMethods } from './bridge-methods.js';
import type { LlbBridge } from './llb-bridge.js';

export function serveBridge(bridge: LlbBridge, connection: Duplex): GrpcServer {
  const handlers: Record<string, Handler> = {
    [Health.Check.path]: unaryHandler(Health.Check, async () => ({ status: 1 as const })),
  };
  addBridgeMethods({
    unary: (method, handle) => {
      handlers[method.path] = unaryHandler(
        {
          requestDeserialize: method.requestDeserialize,
          responseSerialize: (value: Parameters<typeof method.responseSerialize>[0]) =>
            checkSize(method.responseSerialize(value)),
        },
        (request, call) => handle(bridge, request, call.signal),
      );
    },
    bidi: (method, handle) => {
      handlers[method.path] = (call) => {
        const received = decoded(call, method.requestDeserialize);
        const send = (message: Parameters<typeof method.responseSerialize>[0]): Promise<void> =>
          call.messages.send(checkSize(method.responseSerialize(message)));
        return handle(bridge, { received, send }, call.signal);
      };
    },
  });
  return new GrpcServer(connection, { handlers, statusOf: callStatusOf });
}

async function* decoded<T>(call: ServerCall, decode: (bytes: Buffer) => T): AsyncGenerator<T> {
  for await (const message of call.messages.messages()) yield decode(message);
}

/** Nobody would take it. */
function checkSize(message: Buffer): Buffer {
  if (message.length <= MAX_MESSAGE) return message;
  throw new GrpcStatusError(
    grpcStatus.resourceExhausted,
    `trying to send message larger than max (${message.length} vs. ${MAX_MESSAGE})`,
  );
}
