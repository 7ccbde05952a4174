/** A client's session over Control/Session: the client serves, inside a call that it made. Wire facts E1.1–E1.3. */
import { Metadata } from '@grpc/grpc-js';
import { byteStreamOf } from '../../core/util/byte-stream.js';
import { GrpcServer } from '../../core/util/grpc-h2/server.js';
import { newId } from '../../core/util/identity.js';
import { Control } from '../../proto/services.js';
import { callStatusOf } from '../../proto/status.js';
import type { Connection } from '../grpc/connection.js';
import { type ClientOffer, servicesOf } from './client-services.js';
import { sessionHandlers } from './session-handlers.js';

/** An open session. Disposing it ends it. */
export interface ConnectedSession extends AsyncDisposable {
  readonly id: string;
  /** Resolves when the session has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

export function connectSession(
  connection: Pick<Connection, 'bidi'>,
  offer: ClientOffer,
  id: string = newId(),
): ConnectedSession {
  const services = servicesOf(offer);
  const handlers = sessionHandlers(services);
  const call = connection.bidi(
    Control.Session,
    sessionMetadata(id, services.sharedKey, Object.keys(handlers)),
  );
  const server = new GrpcServer(byteStreamOf(call), { handlers, statusOf: callStatusOf });
  return {
    id,
    closed: server.closed,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

export function sessionMetadata(id: string, sharedKey: string, methods: readonly string[]): Metadata {
  const metadata = new Metadata();
  metadata.set('x-docker-expose-session-uuid', id);
  metadata.set('x-docker-expose-session-sharedkey', sharedKey);
  for (const method of methods) metadata.add('x-docker-expose-session-grpc-method', method);
  return metadata;
}
