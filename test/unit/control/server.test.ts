import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';
import { expect } from 'chai';
import { notFound, silentLogger, silentTracing } from '../../../core/contracts/index.js';
import type { Control } from '../../../core/control/control.js';
import { ControlServer } from '../../../core/control/server.js';
import { SessionManager } from '../../../core/session/session-manager.js';
import { InlineThreads } from '../../support/inline-threads.js';

type Kind = 'unary' | 'stream' | 'bidi';

describe('control server', () => {
  let dir: string;
  let server: ControlServer;
  let client: Client;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'buildkit-control-'));
    const sessions = new SessionManager({
      logger: silentLogger,
      tracing: silentTracing,
      threads: new InlineThreads(),
    });
    const findBridge = async (ref: string): Promise<never> => {
      throw notFound('control.no-such-job', `no such job ${ref}`);
    };
    const control: Partial<Control> = { findBridge, [Symbol.asyncDispose]: async () => {} };
    server = new ControlServer({
      control: control as Control,
      sessions,
      tracing: silentTracing,
      logger: silentLogger,
    });
    const address = await server.listen({ kind: 'unix', path: join(dir, 'buildkitd.sock') });
    client = new Client(address, credentials.createInsecure());
  });

  after(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  /** Calls a method with an empty message and answers how the call ended. */
  const call = (kind: Kind, path: string, headers: Record<string, string> = {}): Promise<string> =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      const bytes = (data: Buffer): Buffer => data;
      const ended = ({ code, details }: Pick<StatusObject, 'code' | 'details'>): void =>
        resolve(`${code} ${details}`);
      const empty = Buffer.alloc(0);
      if (kind === 'unary') {
        client.makeUnaryRequest(path, bytes, bytes, empty, metadata, (error) =>
          ended(error ?? { code: 0, details: 'OK' }),
        );
        return;
      }
      const stream =
        kind === 'stream'
          ? client.makeServerStreamRequest(path, bytes, bytes, empty, metadata)
          : client.makeBidiStreamRequest(path, bytes, bytes, metadata);
      stream.on('status', ended);
      stream.on('error', () => {});
      stream.resume();
    });

  it('says which build id is missing or unknown, whatever the kind of the call', async () => {
    const path = '/moby.buildkit.v1.frontend.LLBBridge';
    const calls = [
      ['unary', `${path}/Ping`],
      ['unary', `${path}/NewContainer`],
      ['bidi', `${path}/ExecProcess`],
    ] as const;
    for (const [kind, method] of calls) {
      expect(await call(kind, method), method).to.equal('3 no buildid found in context');
      const known = await call(kind, method, { 'buildkit-controlapi-buildid': 'r1' });
      expect(known, method).to.equal('5 no such job r1');
    }
  });

  it('tells a client why its session was refused', async () => {
    expect(await call('bidi', '/moby.buildkit.v1.Control/Session')).to.equal(
      '3 the session carries no x-docker-expose-session-uuid',
    );
  });

  it('lets nobody change content', async () => {
    expect(await call('unary', '/containerd.services.content.v1.Content/Delete')).to.match(/^12 /);
    expect(await call('bidi', '/containerd.services.content.v1.Content/Write')).to.match(/^12 /);
  });
});
