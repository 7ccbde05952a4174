import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { RegistryAuth } from '../../../client/session/registry-auth.js';
import { TokenKey } from '../../../client/session/token-authority.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Session } from '../../../core/contracts/session.js';
import { silentTracing, type Tracing } from '../../../core/contracts/tracing.js';
import { RemoteSession } from '../../../core/session/remote-session.js';
import { decodeList } from '../../../core/transfer/received-list.js';
import { byteStreamOf } from '../../../core/util/byte-stream.js';
import { systemClock } from '../../../core/util/clock.js';
import { sha256 } from '../../../core/util/digest.js';
import { goMode } from '../../../core/util/gofs/mode.js';
import {
  GrpcServer,
  type Handlers,
  type ServerCall,
  unaryHandler,
} from '../../../core/util/grpc-h2/server.js';
import { decodePacket, encodePacket, type Packet } from '../../../proto/fsutil.js';
import { content } from '../../../proto/index.js';
import { Auth, Content, FileSync } from '../../../proto/services.js';
import { callStatusOf } from '../../../proto/status.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { ManualClock } from '../../support/manual-clock.js';
import { makeTempDir, makeTree, tellTree } from '../../support/trees.js';
import { chunkPair, openTunnel } from '../../support/tunnel.js';

const never = new AbortController().signal;
const request = {
  name: 'ctx',
  includePatterns: [],
  excludePatterns: [],
  followPaths: [],
  differ: 'metadata',
} as const;
const quiet = { transferred() {} };

describe('session tunnel', function () {
  // Ten thousand files take their time on a busy disk.
  this.timeout(60_000);
  let home: string;
  const at = (...parts: string[]): string => path.join(home, ...parts);
  const dest = async (): Promise<string> => at('dest');
  beforeEach(() => {
    home = makeTempDir();
    fs.mkdirSync(at('dest'));
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  const offer = () => ({
    threads: new InlineThreads(),
    folders: new Map([['ctx', at('ctx')]]),
    auth: new RegistryAuth({ configDir: at('docker'), env: {} }),
  });

  it('announces itself as buildctl does', async () => {
    const exports = [{ type: 'local', attrs: {}, target: { kind: 'folder', path: at('out') } }] as const;
    await using tunnel = await openTunnel({ offer: { ...offer(), exports, sharedKey: 'shared' } });
    const methods = [...tunnel.metadata.get('x-docker-expose-session-grpc-method')!].sort();
    // Wire facts G6.1.
    expect({
      ...Object.fromEntries(tunnel.metadata),
      'x-docker-expose-session-grpc-method': methods,
    }).to.deep.equal({
      'x-docker-expose-session-uuid': ['session1'],
      'x-docker-expose-session-sharedkey': ['shared'],
      'x-docker-expose-session-grpc-method': [
        '/grpc.health.v1.Health/Check',
        '/grpc.health.v1.Health/List',
        '/grpc.health.v1.Health/Watch',
        '/moby.filesync.v1.Auth/Credentials',
        '/moby.filesync.v1.Auth/FetchToken',
        '/moby.filesync.v1.Auth/GetTokenAuthority',
        '/moby.filesync.v1.Auth/VerifyTokenAuthority',
        '/moby.filesync.v1.FileSend/DiffCopy',
        '/moby.filesync.v1.FileSync/DiffCopy',
        '/moby.filesync.v1.FileSync/TarStream',
      ],
    });
    expect(tunnel.session.sharedKey).to.equal('shared');
  });

  it('takes method names that Node has joined', async () => {
    await using served = serve({});
    const session = served.session(['/a.B/C, /d.E/F']);
    // The manager splits them; a session is given them one by one.
    expect([session.supports('/a.b/c'), session.supports('/A.B/C, /D.E/F')]).to.deep.equal([false, true]);
  });

  it('writes a blob to a client that repeats its last answer', async function () {
    this.timeout(5_000);
    const actions: number[] = [];
    await using served = serve({
      [Content.Info.path]: unaryHandler(Content.Info, async () => ({})),
      // As containerd does.
      [Content.Write.path]: async ({ messages }) => {
        for await (const message of messages.messages()) {
          const { action, offset, data } = Content.Write.requestDeserialize(message);
          actions.push(action);
          const answer = Content.Write.responseSerialize({ action, offset: offset + data.length });
          await messages.send(answer);
          if (action !== content.WriteAction.COMMIT) continue;
          await messages.send(answer);
          return;
        }
      },
    });
    const data = Buffer.from('blob');
    const chunks = async function* () {
      yield data;
    };
    const descriptor = { mediaType: 'x', digest: sha256(data), size: data.length };
    await served.session().content('local:cache').write(descriptor, chunks(), never);
    const { STAT, WRITE, COMMIT } = content.WriteAction;
    expect(actions).to.deep.equal([STAT, WRITE, COMMIT]);
  });

  it('believes no client that cannot sign with its key', async () => {
    const { publicKey } = new TokenKey(Buffer.from('mine'), Buffer.alloc(32));
    const other = new TokenKey(Buffer.from('other'), Buffer.alloc(32));
    await using served = serve({
      [Auth.GetTokenAuthority.path]: unaryHandler(Auth.GetTokenAuthority, async () => ({
        PublicKey: publicKey,
      })),
      [Auth.VerifyTokenAuthority.path]: unaryHandler(Auth.VerifyTokenAuthority, async ({ Payload }) => ({
        Signed: other.sign(Payload),
      })),
    });
    expect(await served.session().auth.identity('reg.example', never)).to.equal(undefined);
  });

  it('tells the session that its client has gone, and forgets it', async () => {
    const clock = new ManualClock();
    const tunnel = await openTunnel({ offer: offer(), clock });
    await tunnel.client[Symbol.asyncDispose]();
    await tunnel.accepted;
    expect(tunnel.session.dropped.aborted).to.equal(true);
    const failure = tunnel.sessions.get('session1', never).catch(String);
    clock.advance(5_000);
    expect(await failure).to.contain('no active session');
  });

  it('fails a transfer whose client goes away, without hanging', async () => {
    makeTree(at('ctx'), { a: '1' });
    const tunnel = await openTunnel({ offer: offer() });
    tunnel.stall();
    const failure = tunnel.session.folders
      .sync(request, undefined, dest, quiet, never)
      .catch((e: unknown) => e);
    await tunnel.client[Symbol.asyncDispose]();
    expect(await failure).to.include({ grpcCode: 'Unavailable' });
    await tunnel.accepted;
  });

  it('cancels a transfer that hangs', async () => {
    makeTree(at('ctx'), { a: '1' });
    await using tunnel = await openTunnel({ offer: offer() });
    tunnel.stall();
    const stop = new AbortController();
    const failure = tunnel.session.folders
      .sync(request, undefined, dest, quiet, stop.signal)
      .catch((e: unknown) => e);
    setImmediate(() => stop.abort());
    expect(await failure).to.include({ code: 'canceled' });
  });

  it('drops a client that answers no health checks', async () => {
    const clock = new ManualClock();
    const tunnel = await openTunnel({ offer: offer(), clock });
    tunnel.stall();
    for (let i = 0; i < 100 && !tunnel.session.dropped.aborted; i++) await clock.pass(1_000);
    await tunnel.accepted;
    expect(tunnel.session.dropped.aborted).to.equal(true);
    await tunnel.client[Symbol.asyncDispose]();
  });

  it('makes calls part of the build that it serves last, as long as that runs', async () => {
    const seen: string[] = [];
    const tracing: Tracing = {
      ...silentTracing,
      inject: ({ spanId }) => {
        seen.push(spanId);
        return {};
      },
    };
    const { sessions, session, client } = await openTunnel({ offer: offer(), tracing });
    const ask = () => session.secrets.get('none', never);
    const begin = (spanId: string) => sessions.trace('p:session1', { traceId: 't', spanId, sampled: true });
    await ask();
    const [first, second] = [begin('first'), begin('second')];
    await ask();
    first[Symbol.dispose]();
    await ask();
    second[Symbol.dispose]();
    await ask();
    expect(seen).to.deep.equal(['second', 'second']);
    await client[Symbol.asyncDispose]();
  });

  it('passes the trace on to the client', async () => {
    const seen: string[] = [];
    const tracing: Tracing = {
      ...silentTracing,
      inject: ({ traceId, spanId }) => ({ traceparent: `00-${traceId}-${spanId}-01` }),
    };
    await using served = serve(
      {
        [FileSync.DiffCopy.path]: async (call) => {
          seen.push(...call.header('traceparent'));
        },
      },
      tracing,
    );
    await served
      .session()
      .folders.sync(request, undefined, dest, quiet, never)
      .catch(() => {});
    expect(seen).to.deep.equal(['00-t-s-01']);
  });

  it('sends patterns as BuildKit does', async () => {
    const seen: Record<string, readonly string[]>[] = [];
    await using served = serve({
      [FileSync.DiffCopy.path]: async (call) => {
        const names = call.headerNames.filter((name) => /patterns|followpaths|dir-name/.test(name));
        seen.push(Object.fromEntries(names.sort().map((name) => [name, call.header(name)])));
      },
    });
    const { folders } = served.session();
    const ask = (more: object): Promise<unknown> =>
      folders.sync({ ...request, ...more }, undefined, dest, quiet, never).catch(() => {});
    await ask({ includePatterns: ['a.txt', 'dir/*'], excludePatterns: ['*.log'], followPaths: ['l 0'] });
    await ask({ includePatterns: ['hé llo%', 'b'] });
    await ask({ followPaths: ['a,b', 'c%20d'] });
    // Wire facts G6.2.
    expect(seen).to.deep.equal([
      {
        'dir-name': ['ctx'],
        'exclude-patterns': ['*.log'],
        followpaths: ['l 0'],
        'include-patterns': ['a.txt', 'dir/*'],
      },
      {
        'dir-name': ['ctx'],
        'include-patterns': ['h%C3%A9+llo%25', 'b'],
        'include-patterns-encoded': ['1'],
      },
      { 'dir-name': ['ctx'], followpaths: ['a,b', 'c%20d'] },
    ]);
  });

  it('brings ten thousand files with one request each, and none the second time', async () => {
    for (let dir = 0; dir < 100; dir++) {
      const files = Array.from({ length: 100 }, (_, i) => [`f${i}`, `${dir}/${i}`] as const);
      makeTree(at('ctx', `d${dir}`), Object.fromEntries(files));
    }
    await using tunnel = await openTunnel({ offer: offer() });
    let bytes = 0;
    const watch = { transferred: (total: number) => (bytes = total) };
    const sync = async (dest: string, list?: Uint8Array) => {
      fs.mkdirSync(at(dest), { recursive: true });
      const base = list && { dir: at('dest'), list };
      const result = await tunnel.session.folders.sync(request, base, async () => at(dest), watch, never);
      return result.unchanged ? undefined : { list: result.list, entries: decodeList(result.list)! };
    };
    const first = await sync('dest');
    expect(first?.entries.length).to.equal(10_100);
    expect(first?.entries.filter((entry) => entry.recordSha256).length).to.equal(10_000);
    const all = bytes;
    expect(await sync('again', first?.list)).to.equal(undefined);
    // The list only.
    expect(bytes).to.be.lessThan(all / 1.5);
    fs.writeFileSync(at('ctx/d50/f50'), 'changed');
    const third = await sync('third', first?.list);
    const moved = third?.entries.filter(
      (entry) => entry.recordSha256 && fs.statSync(at('third', entry.path)).nlink === 1,
    );
    expect(moved?.map((entry) => entry.path)).to.deep.equal(['d50/f50']);
  });

  describe('hostile senders', () => {
    const DIR = (goMode.dir + 0o755) >>> 0;
    const stat = (name: string, mode = 0o644, linkname = ''): Packet => ({
      type: 'stat',
      stat: {
        path: name,
        mode,
        uid: 0,
        gid: 0,
        size: 1,
        modTime: 0n,
        linkname,
        devmajor: 0,
        devminor: 0,
        xattrs: {},
      },
    });
    const data = (id: number, text: string): Packet => ({ type: 'data', id, data: Buffer.from(text) });
    const scripts: readonly (readonly [what: string, packets: readonly Packet[], message: string])[] = [
      ['lead out of the folder', [stat('../evil')], 'escape check'],
      ['write through a link', [stat('l', goMode.symlink | 0o777, '/tmp'), stat('l/evil')], 'out of order'],
      ['link to a file outside', [stat('h', 0o644, '../../etc/passwd')], 'unknown path'],
      ['send what nobody asked for', [stat('a', DIR), data(0, 'x')], 'invalid file request 0'],
      ['send a file twice', [stat('a'), data(0, 'x'), data(0, ''), data(0, 'y')], 'invalid file request 0'],
      ['go on after the end of the list', [{ type: 'stat' }, stat('a')], 'end of the list'],
      ['fail', [{ type: 'err', message: 'disk on fire' }], 'error from sender: disk on fire'],
      ['request files themselves', [{ type: 'req', id: 0 }], 'requested a file from the receiver'],
      ['end early', [stat('a'), { type: 'fin' }], 'ended before'],
      ['confirm before the end', [stat('a'), { type: 'stat' }, { type: 'fin' }], 'ended before'],
    ];
    for (const [what, packets, message] of scripts) {
      it(`may not ${what}`, async () => {
        await using served = serve({
          [FileSync.DiffCopy.path]: async (call) => {
            for (const packet of packets) await call.messages.send(encodePacket(packet));
            await listen(call);
          },
        });
        const sync = served.session().folders.sync(request, undefined, dest, quiet, never);
        expect(await sync.then(() => 'no error', String)).to.contain(message);
        expect(fs.existsSync(at('evil'))).to.equal(false);
      });
    }

    it('may interleave more files than can be open', async () => {
      const count = 200;
      const big = 'x'.repeat(300 << 10);
      const names = Array.from({ length: count }, (_, i) => `f${String(i).padStart(3, '0')}`);
      await using served = serve({
        [FileSync.DiffCopy.path]: async (call) => {
          for (const name of names) await call.messages.send(encodePacket(stat(name)));
          await call.messages.send(encodePacket({ type: 'stat' }));
          for (let id = 0; id < count; id++) await call.messages.send(encodePacket(data(id, big)));
          for (let id = 0; id < count; id++) await call.messages.send(encodePacket(data(id, `end ${id}`)));
          for (let id = 0; id < count; id++) await call.messages.send(encodePacket(data(id, '')));
          await listen(call);
        },
      });
      await served.session().folders.sync(request, undefined, dest, quiet, never);
      const told = tellTree(at('dest'));
      const wrong = names.filter((name, id) => told[name] !== `${big}end ${id}`);
      expect(wrong).to.deep.equal([]);
    });

    /** Ends the way an honest sender does, once the receiver is done. */
    async function listen(call: ServerCall): Promise<void> {
      for await (const message of call.messages.messages()) {
        const { type } = decodePacket(message);
        if (type === 'fin') await call.messages.send(encodePacket({ type }));
        if (type === 'fin' || type === 'err') return;
      }
    }
  });
});

/** A client made of bare handlers. */
function serve(handlers: Handlers, tracing: Tracing = silentTracing) {
  const [clientEnd, daemonEnd] = chunkPair();
  const server = new GrpcServer(byteStreamOf(clientEnd), { handlers, statusOf: callStatusOf });
  const open: RemoteSession[] = [];
  return {
    session(methods: readonly string[] = Object.keys(handlers)): Session {
      const session = new RemoteSession({
        id: 's',
        sharedKey: '',
        methods,
        connection: byteStreamOf(daemonEnd),
        threads: new InlineThreads(),
        tracing,
        span: () => ({ traceId: 't', spanId: 's', sampled: true }),
        logger: silentLogger,
        clock: systemClock,
      });
      open.push(session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      for (const session of open) await session[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
