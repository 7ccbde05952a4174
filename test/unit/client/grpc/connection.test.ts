import { mkdtemp, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { Connection } from '../../../../client/grpc/connection.js';
import type { BuildError } from '../../../../core/contracts/index.js';
import { Control } from '../../../../proto/services.js';

const signal = new AbortController().signal;

describe('connection to a daemon', () => {
  let dir: string;
  let address: string;
  let server: Server;
  let answer: (done: sendUnaryData<unknown>) => void;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'buildkit-connection-'));
    address = `unix://${join(dir, 'buildkitd.sock')}`;
    server = new Server();
    server.addService(Control, {
      Info: (_call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>) => answer(done),
    });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  });
  afterEach(async () => {
    server.forceShutdown();
    await rm(dir, { recursive: true });
  });

  const info = async (connection: Connection): Promise<BuildError> => {
    try {
      await connection.unary(Control.Info, {}, { signal });
    } catch (error) {
      return error as BuildError;
    }
    throw new Error('answered');
  };

  it('hands on that something is unavailable to the daemon', async () => {
    answer = (done) => done({ code: status.UNAVAILABLE, details: 'no such registry' });
    await using connection = await Connection.open(address);
    const error = await info(connection);
    expect([error.code, error.message]).to.deep.equal(['remote.unavailable', 'no such registry']);
  });

  it('says so when the daemon is gone', async () => {
    const path = join(dir, 'dying.sock');
    const dying = http2.createServer().on('stream', (stream) => stream.session?.destroy());
    await new Promise<void>((resolve) => dying.listen(path, resolve));
    await using connection = await Connection.open(`unix://${path}`);
    const error = await info(connection);
    dying.close();
    expect(error.code).to.equal('client.unavailable');
    expect(error.message).to.match(/^no daemon answers at unix:.*dying\.sock: /);
  });

  it('does not begin what is not wanted any more', async () => {
    await using connection = await Connection.open(address);
    const gone = AbortSignal.abort(new Error('gone'));
    const [next] = await Promise.allSettled([
      connection.stream(Control.Status, { Ref: 'r' }, { signal: gone })[Symbol.asyncIterator]().next(),
    ]);
    expect(next).to.have.nested.property('reason.code', 'canceled');
  });
});
