import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { expect } from 'chai';
import { Connection } from '../../../client/grpc/connection.js';
import { directWriter } from '../../../core/session/call-internals.js';
import { byteStreamOf } from '../../../core/util/byte-stream.js';
import { Control } from '../../../proto/services.js';

describe('a session stream of grpc-js', () => {
  let dir: string;
  let server: Server;
  let connection: Connection;
  let served: Promise<ServerDuplexStream<unknown, unknown>>;
  /** Messages that grpc-js has encoded, and so copied. */
  let encoded: number;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'buildkit-call-'));
    const address = `unix://${join(dir, 'peer.sock')}`;
    encoded = 0;
    const { responseSerialize } = Control.Session;
    const Session = {
      ...Control.Session,
      responseSerialize: (value: { readonly data: Uint8Array }) => {
        encoded += 1;
        return responseSerialize(value);
      },
    };
    server = new Server();
    served = new Promise((resolve) => server.addService({ ...Control, Session }, { Session: resolve }));
    await new Promise<void>((resolve, reject) => {
      const bound = (error: Error | null): void => (error ? reject(error) : resolve());
      server.bindAsync(address, ServerCredentials.createInsecure(), bound);
    });
    connection = await Connection.open(address);
  });
  afterEach(async () => {
    await connection[Symbol.asyncDispose]();
    server.forceShutdown();
    await rm(dir, { recursive: true });
  });

  it('carries bytes in order, of which grpc-js encodes the first message only', async () => {
    const client = byteStreamOf(connection.bidi(Control.Session, new Metadata()));
    const call = await served;
    const daemon = byteStreamOf(call, directWriter(call));
    const pieces = Array.from({ length: 300 }, (_, at) => Buffer.alloc(20_000, at));
    for (const piece of pieces) daemon.write(piece);
    daemon.end();
    const arrived: Buffer[] = [];
    for await (const chunk of client) arrived.push(chunk);
    expect(Buffer.concat(arrived).equals(Buffer.concat(pieces))).to.equal(true);
    expect(encoded).to.equal(1);
    client.destroy();
  });

  it('leaves the bytes to grpc-js where there is no stream that it knows', () => {
    expect(directWriter({})([Buffer.from('x')])).to.equal(false);
  });
});
