import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { Connection } from '../../../client/grpc/connection.js';
import { byteStreamOf } from '../../../core/util/byte-stream.js';
import { Control } from '../../../proto/services.js';

describe('byte stream inside a call', () => {
  let dir: string;
  let server: Server;
  let connection: Connection;
  let served: Promise<ServerDuplexStream<unknown, unknown>>;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'buildkit-bytes-'));
    const address = `unix://${join(dir, 'peer.sock')}`;
    server = new Server();
    served = new Promise((resolve) => server.addService(Control, { Session: resolve }));
    await new Promise<void>((resolve, reject) => {
      const bound = (error: Error | null): void => (error ? reject(error) : resolve());
      server.bindAsync(address, ServerCredentials.createInsecure(), bound);
    });
    connection = await Connection.open(address);
  });
  afterEach(async () => {
    server.forceShutdown();
    await rm(dir, { recursive: true });
  });

  it('gives the call up when it is destroyed, and with it the connection, whatever is unread', async () => {
    const bytes = byteStreamOf(connection.bidi(Control.Session, new Metadata()));
    const call = await served;
    const given = once(call, 'cancelled');
    for (let i = 0; i < 64; i++) call.write({ data: Buffer.alloc(64 << 10) });
    await once(bytes, 'readable');
    bytes.destroy();
    await connection[Symbol.asyncDispose]();
    await given;
    await new Promise((resolve) => server.tryShutdown(resolve));
  });
});
