import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import type { ClientOffer } from '../../client/session/client-services.js';
import { LayoutStore } from '../../client/session/layout-store.js';
import { RegistryAuth } from '../../client/session/registry-auth.js';
import { AgentSources } from '../../client/session/ssh/agent-sources.js';
import type { BlobInfo } from '../../core/contracts/content.js';
import type { ReceivedEntry } from '../../core/contracts/refs.js';
import type {
  ClientPolicy,
  FolderRequest,
  ResultTree,
  Session,
  SyncBase,
} from '../../core/contracts/session.js';
import { decodeList } from '../../core/transfer/received-list.js';
import { catalogPath } from '../../core/transfer/tree-catalog.js';
import { deferred } from '../../core/util/deferred.js';
import { type Digest, sha256 } from '../../core/util/digest.js';
import { SocketFolder } from '../../core/util/socket-folder.js';
import { tarsumHeader } from '../../core/util/tarsum.js';
import { decodeStat } from '../../proto/fsutil.js';
import { InlineThreads } from '../support/inline-threads.js';
import { AgentClient, writeKey } from '../support/ssh.js';
import { makeTempDir, makeTree, type TreeSpec, tellTree } from '../support/trees.js';

/** A session of a client with this offer. */
export type MakeSession = (offer: ClientOffer) => Promise<{ readonly session: Session } & AsyncDisposable>;

const never = new AbortController().signal;
const everything = { includePatterns: [], excludePatterns: [], followPaths: [], differ: 'metadata' } as const;

/** What every {@link Session} promises, wherever its client is. */
export function sessionContract(name: string, make: MakeSession): void {
  describe(`${name} keeps the Session contract`, () => {
    let home: string;
    let at: (...parts: string[]) => string;
    beforeEach(() => {
      home = makeTempDir();
      at = (...parts) => path.join(home, ...parts);
      for (const dir of ['context', 'first', 'second', 'third', 'docker']) fs.mkdirSync(at(dir));
    });
    afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

    const offer = (more: Partial<ClientOffer> = {}): ClientOffer => ({
      threads: new InlineThreads(),
      folders: new Map([['context', at('context')]]),
      auth: new RegistryAuth({ configDir: at('docker'), env: {} }),
      ...more,
    });

    async function sync(
      dest: string,
      base?: SyncBase,
      request: Partial<FolderRequest> = {},
    ): Promise<Synced> {
      await using held = await make(offer());
      let done = 0;
      let bytes = 0;
      let opened = 0;
      const open = async (): Promise<string> => {
        opened++;
        return at(dest);
      };
      const watch = {
        transferred(total: number, last: boolean): void {
          bytes = total;
          if (last) done++;
        },
      };
      const wanted = { name: 'context', ...everything, ...request };
      const result = await held.session.folders.sync(wanted, base, open, watch, never);
      const list = result.unchanged ? base!.list : result.list;
      return { unchanged: result.unchanged, list, entries: decodeList(list)!, opened, done, bytes };
    }

    describe('folders', () => {
      const tree: TreeSpec = {
        'a.txt': 'hello\n',
        dir: { 'b.sh': '#!/bin/sh\n', up: { link: '../a.txt' }, empty: {} },
        'z-hard': { same: 'a.txt' },
      };

      it('brings names, content, modes, times and links', async () => {
        makeTree(at('context'), tree);
        fs.chmodSync(at('context/dir/b.sh'), 0o4755);
        fs.chmodSync(at('context/dir'), 0o750);
        fs.utimesSync(at('context/a.txt'), 1_600_000_000, 1_600_000_000.5);
        const { unchanged, entries, done } = await sync('first');
        expect(tellTree(at('first'))).to.deep.equal(tellTree(at('context')));
        for (const file of ['a.txt', 'dir', 'dir/b.sh', 'dir/up', 'dir/empty']) {
          expect(told(at('first', file)), file).to.deep.equal(told(at('context', file)));
        }
        expect(fs.statSync(at('first/z-hard')).ino).to.equal(fs.statSync(at('first/a.txt')).ino);
        expect(entries.map(({ path }) => path)).to.deep.equal([
          'a.txt',
          'dir',
          'dir/b.sh',
          'dir/empty',
          'dir/up',
          'z-hard',
        ]);
        expect({ unchanged, done }).to.deep.equal({ unchanged: false, done: 1 });
      });

      it('answers the record digest of every file', async () => {
        makeTree(at('context'), { a: 'x', big: 'y'.repeat(700_000), hard: { same: 'a' }, none: '' });
        const { entries } = await sync('first');
        for (const entry of entries) {
          const expected = entry.linkname === '' ? recordDigest(entry, at('first', entry.path)) : undefined;
          expect(entry.recordSha256, entry.path).to.equal(expected);
        }
      });

      it('makes no destination when nothing differs from the base', async () => {
        makeTree(at('context'), tree);
        const first = await sync('first');
        const again = await sync('second', { dir: at('first'), list: first.list });
        expect(again.unchanged).to.equal(true);
        expect(again.entries).to.deep.equal(first.entries);
        expect([first.opened, again.opened]).to.deep.equal([1, 0]);
      });

      it('links what did not change and brings what did', async () => {
        makeTree(at('context'), { a: '1', b: '2', sub: { c: '3', d: '4' } });
        const first = await sync('first');
        fs.writeFileSync(at('context/b'), 'two');
        const second = await sync('second', { dir: at('first'), list: first.list });
        expect(tellTree(at('second'))).to.deep.equal({
          a: '1',
          b: 'two',
          sub: 'dir',
          'sub/c': '3',
          'sub/d': '4',
        });
        const linked = ['a', 'b', 'sub/c', 'sub/d'].filter(
          (file) => fs.statSync(at('first', file)).ino === fs.statSync(at('second', file)).ino,
        );
        expect(linked).to.deep.equal(['a', 'sub/c', 'sub/d']);
        expect(second.entries.map((entry) => entry.recordSha256 !== undefined)).to.deep.equal([
          true,
          true,
          false,
          true,
          true,
        ]);
        expect(tellTree(at('first'))).to.include({ b: '2' });
      });

      for (const [what, change] of [
        ['removed at the end', () => fs.rmSync(at('context/z'))],
        ['removed at the start', () => fs.rmSync(at('context/a'))],
        ['added', () => fs.writeFileSync(at('context/m'), '')],
        ['changed in its mode', () => fs.chmodSync(at('context/a'), 0o600)],
        [
          'replaced by a directory',
          () => {
            fs.rmSync(at('context/a'));
            fs.mkdirSync(at('context/a'));
          },
        ],
      ] as const) {
        it(`notices what was ${what}`, async () => {
          makeTree(at('context'), { a: '1', s: { b: '2' }, z: '3' });
          const first = await sync('first');
          change();
          const second = await sync('second', { dir: at('first'), list: first.list });
          expect(second.unchanged).to.equal(false);
          expect(tellTree(at('second'))).to.deep.equal(tellTree(at('context')));
        });
      }

      describe('when metadata are not to be trusted', () => {
        const again = async (spec: TreeSpec, change: () => void): Promise<Synced> => {
          makeTree(at('context'), spec);
          const { list } = await sync('first');
          change();
          return sync('second', { dir: at('first'), list }, { differ: 'none' });
        };
        /** With the size and the time that it had. */
        const rewrite = (file: string, text: string): void => {
          const { atime, mtime } = fs.statSync(file);
          fs.writeFileSync(file, text);
          fs.utimesSync(file, atime, mtime);
        };

        it('makes no destination when the contents are the same', async () => {
          const second = await again({ a: '1', empty: '', sub: { b: '2' } }, () => {});
          expect([second.unchanged, second.opened]).to.deep.equal([true, 0]);
          // The contents came again.
          expect(second.bytes).to.be.greaterThan(0);
        });

        it('notices another content', async () => {
          const spec = { a: '1', b: '2', c: 'x'.repeat(1000), l: { link: 'a' }, z: { y: '3' } };
          const second = await again(spec, () => rewrite(at('context/b'), 'B'));
          expect([second.unchanged, second.opened]).to.deep.equal([false, 1]);
          expect(tellTree(at('second'))).to.deep.equal(tellTree(at('context')));
          const list = await sync('third');
          expect(second.entries).to.deep.equal(list.entries);
        });

        it('notices what was added and removed', async () => {
          await again({ a: '1', b: '2', c: '3' }, () => {
            fs.rmSync(at('context/b'));
            fs.writeFileSync(at('context/d'), '4');
          });
          expect(tellTree(at('second'))).to.deep.equal({ a: '1', c: '3', d: '4' });
        });

        it('brings again what is too large to be held', async () => {
          const big = 'x'.repeat(600_000);
          const second = await again({ a: big, b: big, c: '1' }, () => {});
          expect([second.unchanged, second.opened]).to.deep.equal([false, 1]);
          expect(tellTree(at('second'))).to.deep.equal(tellTree(at('context')));
        });
      });

      it('filters, with names that are not ASCII', async () => {
        makeTree(at('context'), { 'hé llo%': '1', b: '2', c: '3', 'skip.log': '4', l: { link: 'c' } });
        const names = async (dest: string, request: Partial<FolderRequest>): Promise<string[]> =>
          (await sync(dest, undefined, request)).entries.map(({ path }) => path);
        expect(await names('first', { includePatterns: ['hé llo%', 'b'] })).to.deep.equal(['b', 'hé llo%']);
        expect(
          await names('second', { excludePatterns: ['*.log', 'b'], followPaths: ['l', 'hé llo%'] }),
        ).to.deep.equal(['c', 'hé llo%', 'l']);
      });

      describe('of which only metadata are wanted', () => {
        const catalogued = (): string[] => {
          const bytes = fs.readFileSync(at('first', catalogPath));
          const paths: string[] = [];
          for (let from = 0; from < bytes.length; ) {
            const end = from + 4 + bytes.readUInt32LE(from);
            paths.push(decodeStat(bytes.subarray(from + 4, end)).path);
            from = end;
          }
          return paths;
        };

        it('brings a catalog of all, and what is excepted with the folders above it', async () => {
          makeTree(at('context'), {
            data: 'd',
            dir: { file1: 'f1', file2: 'f2', sub: { bar1: 'b1', bar2: 'b2' }, sub2: { bar3: 'b3' } },
            foo: 'foo',
          });
          fs.writeFileSync(at('context', catalogPath), 'not mine');
          const { entries } = await sync('first', undefined, { contentOf: ['dir/**/*1', 'foo'] });
          const { [catalogPath]: catalog, ...brought } = tellTree(at('first'));
          expect(brought).to.deep.equal({
            dir: 'dir',
            'dir/file1': 'f1',
            'dir/sub': 'dir',
            'dir/sub/bar1': 'b1',
            foo: 'foo',
          });
          expect(catalog).to.be.a('string').and.not.include('not mine');
          expect(catalogued()).to.deep.equal([
            'data',
            'dir',
            'dir/file1',
            'dir/file2',
            'dir/sub',
            'dir/sub/bar1',
            'dir/sub/bar2',
            'dir/sub2',
            'dir/sub2/bar3',
            'foo',
          ]);
          expect(entries.map(({ path }) => path)).to.deep.equal([
            catalogPath,
            'dir',
            'dir/file1',
            'dir/sub',
            'dir/sub/bar1',
            'foo',
          ]);
          expect(entries[0]?.recordSha256).to.be.a('string');
        });

        it('brings nothing but the catalog without exceptions, whatever was there before', async () => {
          makeTree(at('context'), { a: 'x', b: 'y' });
          const { list } = await sync('second');
          const { entries } = await sync('first', { dir: at('second'), list }, { contentOf: [] });
          expect(entries.map(({ path }) => path)).to.deep.equal([catalogPath]);
          expect(catalogued()).to.deep.equal(['a', 'b']);
        });
      });

      it('says NotFound for a folder that is not offered', async () => {
        const failure = await sync('first', undefined, { name: 'other' }).catch((error: unknown) => error);
        expect(failure).to.include({ grpcCode: 'NotFound' });
        expect(String(failure)).to.contain('no access allowed to dir "other"');
      });

      it('stops when it is not wanted any more', async () => {
        makeTree(at('context'), { big: 'x'.repeat(1 << 20) });
        await using held = await make(offer());
        const stop = new AbortController();
        stop.abort();
        const request = { name: 'context', ...everything };
        const failure = await held.session.folders
          .sync(request, undefined, async () => at('first'), { transferred() {} }, stop.signal)
          .catch((error: unknown) => error);
        expect(failure).to.include({ code: 'canceled' });
      });
    });

    describe('results', () => {
      const result = (layer: TreeSpec, more: Partial<ResultTree> = {}): ResultTree => {
        const dir = fs.mkdtempSync(at('layer-'));
        return {
          stack: { layers: [makeTree(dir, layer)], writable: false },
          prefix: '',
          files: [],
          ...more,
        };
      };
      const folderOffer = (attrs: Readonly<Record<string, string>> = {}): ClientOffer =>
        offer({ exports: [{ type: 'local', attrs, target: { kind: 'folder', path: at('out') } }] });
      const write = async (
        offered: ClientOffer,
        trees: readonly ResultTree[],
        mode: 'copy' | 'delete' = 'copy',
      ): Promise<void> => {
        await using held = await make(offered);
        await held.session.results.writeTree(0, trees, { mode, onProgress() {} }, never);
      };

      it('puts a tree into a folder that need not exist', async () => {
        const spec = { a: 'one', sub: { b: 'two', l: { link: '../a' } }, h: { same: 'a' } };
        await write(folderOffer(), [result(spec)]);
        expect(tellTree(at('out'))).to.deep.equal({
          a: 'one',
          h: 'one',
          sub: 'dir',
          'sub/b': 'two',
          'sub/l': '-> ../a',
        });
        expect(fs.statSync(at('out/a')).ino).to.equal(fs.statSync(at('out/h')).ino);
      });

      it('merges layers, whiteouts and further files', async () => {
        const lower = makeTree(at('lower'), { gone: '1', kept: '2', sub: { x: '3' } });
        const upper = makeTree(at('upper'), { sub: { y: '4' } });
        fs.writeFileSync(at('upper/kept'), 'new');
        const tree: ResultTree = {
          stack: { layers: [upper, lower], writable: false },
          prefix: 'linux_amd64',
          files: [{ stat: fileStat('note.json', 2), data: Buffer.from('{}') }],
          sourceDateEpoch: 1_000,
        };
        await write(folderOffer(), [tree]);
        expect(tellTree(at('out'))).to.deep.equal({
          linux_amd64: 'dir',
          'linux_amd64/gone': '1',
          'linux_amd64/kept': 'new',
          'linux_amd64/note.json': '{}',
          'linux_amd64/sub': 'dir',
          'linux_amd64/sub/x': '3',
          'linux_amd64/sub/y': '4',
        });
        expect(fs.statSync(at('out/linux_amd64/kept')).mtimeMs).to.equal(1_000_000);
      });

      it('replaces what is in the way and leaves the rest', async () => {
        makeTree(at('out'), {
          a: 'old',
          file: 'x',
          dir: { x: 'y' },
          other: 'stays',
          link: { link: 'other' },
        });
        await write(folderOffer(), [
          result({ a: 'new', file: { in: '1' }, dir: 'now a file', link: { deep: '2' } }),
        ]);
        expect(tellTree(at('out'))).to.deep.equal({
          a: 'new',
          dir: 'now a file',
          file: 'dir',
          'file/in': '1',
          link: 'dir',
          'link/deep': '2',
          other: 'stays',
        });
      });

      it('mirrors when asked to', async () => {
        makeTree(at('out'), { gone: '1', sub: { gone: '2', kept: '3' }, dir: { deep: { x: '4' } } });
        await write(folderOffer({ mode: 'delete' }), [result({ sub: { kept: 'new' }, dir: {} })], 'delete');
        expect(tellTree(at('out'))).to.deep.equal({ dir: 'dir', sub: 'dir', 'sub/kept': 'new' });
      });

      it('does not mirror from one of several transfers', async () => {
        makeTree(at('out'), { other: '1' });
        const failure = await write(folderOffer({ mode: 'delete' }), [result({ a: '2' })]).catch(String);
        expect(failure).to.contain('mode=delete');
        expect(tellTree(at('out'))).to.deep.equal({ other: '1' });
      });

      const fileOffer = (): ClientOffer =>
        offer({ exports: [{ type: 'oci', attrs: {}, target: { kind: 'file', path: at('out.tar') } }] });

      it('writes one file', async () => {
        fs.writeFileSync(at('out.tar'), 'old');
        await using held = await make(fileOffer());
        const big = Buffer.alloc(4 << 20, 'x');
        const data = (async function* () {
          yield Buffer.from('start');
          yield big;
        })();
        await held.session.results.writeFile(0, { 'containerimage.digest': 'sha256:x' }, data, never);
        expect(fs.readFileSync(at('out.tar'))).to.deep.equal(Buffer.concat([Buffer.from('start'), big]));
      });

      it('leaves the old file when the new one fails half-way', async () => {
        fs.writeFileSync(at('out.tar'), 'old');
        await using held = await make(fileOffer());
        const data = (async function* () {
          yield Buffer.from('half');
          throw new Error('compression failed');
        })();
        const failure = await held.session.results.writeFile(0, {}, data, never).catch(String);
        expect(failure).to.contain('compression failed');
        await held[Symbol.asyncDispose]();
        expect(fs.readFileSync(at('out.tar'), 'utf8')).to.equal('old');
        expect(fs.readdirSync(home).filter((file) => file.includes('out.tar'))).to.deep.equal(['out.tar']);
      });

      it('says which exporter has no target', async () => {
        await using held = await make(fileOffer());
        const failure = await held.session.results
          .writeTree(3, [result({})], { mode: 'copy', onProgress() {} }, never)
          .catch(String);
        expect(failure).to.contain('exporter 3 not found');
      });
    });

    describe('secrets and credentials', () => {
      it('hands out a secret by its id', async () => {
        fs.writeFileSync(at('key'), 'from a file');
        const secrets = new Map([
          ['file', { file: at('key') }],
          ['data', { data: Buffer.from('given') }],
        ]);
        await using held = await make(offer({ secrets }));
        const read = async (id: string): Promise<string | undefined> => {
          const data = await held.session.secrets.get(id, never);
          return data && Buffer.from(data).toString();
        };
        expect([await read('file'), await read('data'), await read('other')]).to.deep.equal([
          'from a file',
          'given',
          undefined,
        ]);
      });

      it('has no secrets when none are offered', async () => {
        await using held = await make(offer());
        expect(await held.session.secrets.get('x', never)).to.equal(undefined);
      });

      it('knows the credentials of a registry', async () => {
        const auths = { 'reg.example': { auth: Buffer.from('user:pa:ss').toString('base64') } };
        fs.writeFileSync(at('docker/config.json'), JSON.stringify({ auths }));
        await using held = await make(offer());
        const { auth } = held.session;
        expect([
          await auth.credentials('reg.example', never),
          await auth.credentials('other', never),
        ]).to.deep.equal([
          { username: 'user', secret: 'pa:ss' },
          { username: '', secret: '' },
        ]);
      });

      it('proves the same identity in every session of one user, and another for another', async () => {
        const auths = { 'reg.example': { auth: Buffer.from('user:pass').toString('base64') } };
        fs.writeFileSync(at('docker/config.json'), JSON.stringify({ auths }));
        fs.mkdirSync(at('other'));
        fs.writeFileSync(at('other/config.json'), JSON.stringify({ auths }));
        const identity = async (configDir: string): Promise<string | undefined> => {
          const auth = new RegistryAuth({ configDir, env: {} });
          await using held = await make(offer({ auth }));
          return await held.session.auth.identity('reg.example', never);
        };
        const first = await identity(at('docker'));
        expect(first).to.match(/^[0-9a-f]{64}$/);
        expect(await identity(at('docker'))).to.equal(first);
        expect(await identity(at('other'))).to.not.equal(first);
      });

      it('proves nothing where the user turned tokens off', async () => {
        const auth = new RegistryAuth({ configDir: at('docker'), env: { BUILDKIT_NO_CLIENT_TOKEN: '1' } });
        await using held = await make(offer({ auth }));
        expect(await held.session.auth.identity('reg.example', never)).to.equal(undefined);
      });

      it('fetches no tokens where the user turned that off', async () => {
        const auth = new RegistryAuth({ configDir: at('docker'), env: { BUILDKIT_NO_CLIENT_TOKEN: '1' } });
        await using held = await make(offer({ auth }));
        const request = { clientId: 'c', host: 'h', realm: 'http://127.0.0.1:1', service: 's', scopes: [] };
        expect(await held.session.auth.fetchToken(request, never)).to.equal(undefined);
      });

      it('says what it serves, in any case', async () => {
        await using held = await make(offer());
        const paths = [
          '/moby.filesync.v1.FileSync/diffcopy',
          '/moby.filesync.v1.FileSend/DiffCopy',
          '/moby.buildkit.secrets.v1.Secrets/GetSecret',
          '/grpc.health.v1.health/check',
        ];
        expect(paths.map((each) => held.session.supports(each))).to.deep.equal([true, false, false, true]);
      });
    });

    describe('ssh agents', () => {
      it('are there or not', async () => {
        writeKey(at('key'), 'ed25519');
        const agents = await AgentSources.open(new Map([['work', { paths: [at('key')], raw: false }]]), {});
        await using held = await make(offer({ agents }));
        await held.session.agents.check('work', never);
        const unset = await held.session.agents.check('', never).catch((error: unknown) => error);
        expect(unset).to.include({ grpcCode: 'NotFound', message: 'unset ssh forward key default' });
      });

      it('of a client that forwards none are named', async () => {
        await using held = await make(offer());
        const none = await held.session.agents.check('work', never).catch((error: unknown) => error);
        expect(none).to.include({ grpcCode: 'NotFound' });
      });

      it('are joined to a connection until that ends', async () => {
        writeKey(at('key'), 'ed25519');
        const agents = await AgentSources.open(new Map([['', { paths: [at('key')], raw: false }]]), {});
        await using held = await make(offer({ agents }));
        const folder = new SocketFolder(at('sockets'));
        const ended = deferred<void>();
        const serve = (connection: Duplex): Promise<void> =>
          held.session.agents.forward('', connection, never).then(ended.resolve, ended.reject);
        const owner = { uid: process.getuid!(), gid: process.getgid!(), mode: 0o600 };
        await using socket = await folder.open(owner, serve, ended.reject);
        const connection = net.connect({ path: socket.path, allowHalfOpen: true });
        const client = new AgentClient(connection);
        const [key] = await client.keys();
        expect((await client.sign(key!.blob, 'x'.repeat(100_000))).length).to.be.above(64);
        connection.end();
        await ended.promise;
      });
    });

    describe('policy', () => {
      const source = { identifier: 'docker-image://x', attrs: { a: 'b' } };
      const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
      const image = { digest: sha256('image'), config: Buffer.from('{}') };

      it('brings questions, decisions and what is asked back', async () => {
        const asked: object[] = [];
        const policy: ClientPolicy = {
          check: async (question) => {
            asked.push(question);
            if (!question.meta) return { ask: { source, platform, attestationChain: true } };
            return { action: 'deny', messages: ['because'] };
          },
        };
        await using held = await make(offer({ policy }));
        const first = await held.session.policy.check({ source, platform }, never);
        expect('ask' in first && first.ask).to.include({ attestationChain: true });
        expect('ask' in first && first.ask.source).to.deep.equal(source);
        const second = await held.session.policy.check({ source, platform, meta: { image } }, never);
        expect(second).to.deep.equal({ action: 'deny', messages: ['because'] });
        expect(asked).to.deep.equal([
          { source, platform },
          { source, platform, meta: { image } },
        ]);
      });

      it('is refused by a client that decides on nothing', async () => {
        await using held = await make(offer());
        const error = await held.session.policy.check({ source }, never).then(
          () => expect.fail('it succeeded'),
          (reason) => reason,
        );
        expect(error).to.include({ code: 'session.no-policy', grpcCode: 'Unimplemented' });
      });
    });

    describe('content', () => {
      const data = Buffer.alloc(3_500_000, 'blob');
      const descriptor = { mediaType: 'x', digest: sha256(data), size: data.length };
      const chunks = async function* (...parts: readonly Uint8Array[]) {
        yield* parts;
      };
      const blobFile = (digest: Digest): string => at('layout/blobs/sha256', digest.slice(7));
      const withStore = (writable: boolean) =>
        make(offer({ stores: new Map([['oci:base', new LayoutStore(at('layout'), { writable })]]) }));
      const whole = async (blob: AsyncIterable<Uint8Array>): Promise<Buffer> => {
        const parts: Uint8Array[] = [];
        for await (const part of blob) parts.push(part);
        return Buffer.concat(parts);
      };
      const failure = async (work: () => Promise<unknown>): Promise<{ grpcCode: string; message: string }> =>
        work().then(
          () => expect.fail('it succeeded'),
          (error) => error,
        );
      beforeEach(() => {
        fs.mkdirSync(at('layout/blobs/sha256'), { recursive: true });
      });

      it('tells of a blob, and reads it whole or in part', async () => {
        fs.writeFileSync(blobFile(descriptor.digest), data);
        await using held = await withStore(false);
        const store = held.session.content('oci:base');
        expect(await store.info(descriptor.digest, never)).to.include({ size: data.length });
        expect((await whole(store.read(descriptor, {}, never))).equals(data)).to.equal(true);
        const part = await whole(store.read(descriptor, { offset: 2_000_001, length: 5 }, never));
        expect(part.toString()).to.equal('lobbl');
        expect(await whole(store.read(descriptor, { offset: 1, length: 0 }, never))).to.have.length(0);
      });

      it('answers undefined, or NotFound, for a blob that is not there', async () => {
        await using held = await withStore(false);
        const store = held.session.content('oci:base');
        expect(await store.info(descriptor.digest, never)).to.equal(undefined);
        const error = await failure(() => whole(store.read(descriptor, {}, never)));
        expect(error).to.include({ grpcCode: 'NotFound' });
      });

      it('fails for a store that the client does not have, even for a blob', async () => {
        await using held = await withStore(false);
        const error = await failure(async () => held.session.content('oci:other').info(sha256('x'), never));
        expect(error).to.include({ grpcCode: 'NotFound' });
        expect(error.message).to.contain('unknown store oci:other');
      });

      it('takes labels of a blob that is there, where the client has a use for them', async () => {
        const labeled: BlobInfo[] = [];
        const store = new LayoutStore(at('layout'), {
          labeled: async (blob) => void labeled.push(blob),
        });
        fs.writeFileSync(blobFile(descriptor.digest), data);
        await using held = await make(offer({ stores: new Map([['oci:base', store]]) }));
        const content = held.session.content('oci:base');
        expect(await content.label!(descriptor.digest, { a: 'b' }, never)).to.equal(true);
        expect(labeled).to.have.length(1);
        expect(labeled[0]).to.deep.include({
          digest: descriptor.digest,
          size: data.length,
          labels: { a: 'b' },
        });
        const error = await failure(() => content.label!(sha256('x'), {}, never));
        expect(error).to.include({ grpcCode: 'NotFound' });
      });

      it('says when the client keeps no labels', async () => {
        fs.writeFileSync(blobFile(descriptor.digest), data);
        await using held = await withStore(true);
        const store = held.session.content('oci:base');
        expect(await store.label!(descriptor.digest, { a: 'b' }, never)).to.equal(false);
      });

      it('takes a blob, once', async () => {
        await using held = await withStore(true);
        const store = held.session.content('oci:base');
        const half = data.length / 2;
        await store.write(descriptor, chunks(data.subarray(0, half), data.subarray(half)), never);
        expect(fs.readFileSync(blobFile(descriptor.digest)).equals(data)).to.equal(true);
        await store.write(descriptor, chunks(Buffer.from('never read')), never);
        expect(fs.readFileSync(blobFile(descriptor.digest)).equals(data)).to.equal(true);
      });

      it('leaves nothing behind when the bytes are wrong or the writer fails', async () => {
        await using held = await withStore(true);
        const store = held.session.content('oci:base');
        const wrong = await failure(() => store.write(descriptor, chunks(Buffer.from('wrong')), never));
        expect(wrong).to.include({ grpcCode: 'FailedPrecondition' });
        const broken = async function* () {
          yield data.subarray(0, 10);
          throw new Error('the source broke');
        };
        const failed = await failure(() => store.write(descriptor, broken(), never));
        expect(failed.message).to.contain('the source broke');
        await held[Symbol.asyncDispose]();
        expect(fs.readdirSync(at('layout/blobs/sha256'))).to.deep.equal([]);
      });

      it('does not write to what is only offered for reading', async () => {
        await using held = await withStore(false);
        const store = held.session.content('oci:base');
        const error = await failure(() => store.write(descriptor, chunks(data), never));
        expect(error).to.include({ grpcCode: 'Unimplemented' });
      });
    });
  });
}

/** What a transfer answered, and the list it stands for. */
interface Synced {
  readonly unchanged: boolean;
  readonly list: Uint8Array;
  readonly entries: readonly ReceivedEntry[];
  /** How often the destination was asked for. */
  readonly opened: number;
  readonly done: number;
  readonly bytes: number;
}

function told(file: string): object {
  const stat = fs.lstatSync(file, { bigint: true });
  return { mode: stat.mode.toString(8), mtime: stat.mtimeNs };
}

const recordDigest = (entry: ReceivedEntry, file: string): string | undefined =>
  fs.lstatSync(file).isFile()
    ? createHash('sha256').update(tarsumHeader(entry)).update(fs.readFileSync(file)).digest('hex')
    : undefined;

const fileStat = (name: string, size: number) => ({
  path: name,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size,
  modTime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
});
