import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Session } from '../../../../core/contracts/session.js';
import type { OpenSource } from '../../../../core/contracts/source.js';
import { sha256 } from '../../../../core/util/digest.js';
import { parsePlatform } from '../../../../core/util/platform.js';
import type { HttpAnswer, HttpCall } from '../../../../plugins/sources/http/http-client.js';
import { HttpSource } from '../../../../plugins/sources/http/http-source.js';
import { fakeSession, fakeSessions } from '../../../support/fake-session.js';
import { InlineThreads } from '../../../support/inline-threads.js';
import { everything } from '../../../support/ref-store-home.js';
import { namesIn, SourceWorld, secretSession } from '../../../support/source-world.js';

const never = new AbortController().signal;
const platform = parsePlatform('linux/amd64');
const modified = 'Tue, 02 Jan 2024 03:04:05 GMT';

/** One resource, as a server has it now. */
interface Resource {
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

describe('http source', () => {
  let world: SourceWorld;
  let calls: HttpCall[];
  let resource: Resource;
  let source: HttpSource;
  /** Answers a call otherwise. */
  let override: (call: HttpCall) => Resource | undefined;
  /** Runs while a body is read. */
  let during: () => Promise<void>;

  const send = async (call: HttpCall): Promise<HttpAnswer> => {
    calls.push(call);
    const known = call.headers['if-none-match']?.includes(resource.headers?.etag ?? 'none') ?? false;
    const {
      text,
      headers = {},
      status,
    } = override(call) ?? { ...resource, ...(known ? { status: 304 } : {}) };
    return {
      status: status ?? 200,
      header: (name) => headers[name],
      size: text.length,
      discard: async () => {},
      async *body() {
        for (const letter of text) {
          await during();
          yield Buffer.from(letter);
        }
      },
    };
  };
  const makeSource = (...sessions: Session[]): HttpSource =>
    new HttpSource({
      sessions: fakeSessions(
        ...(sessions.length > 0 ? sessions : ['one', 'two'].map((id) => fakeSession({ id }))),
      ),
      threads: new InlineThreads(),
      send,
    });

  beforeEach(async () => {
    world = await SourceWorld.open();
    calls = [];
    resource = { text: 'data\n', headers: { etag: '"v1"', 'last-modified': modified } };
    override = () => undefined;
    during = async () => {};
    source = makeSource();
  });
  afterEach(async () => {
    expect(world.openHandles).to.equal(0);
    await world[Symbol.asyncDispose]();
  });

  const open = (
    attrs: Readonly<Record<string, string>> = {},
    name = 'h.org/f.txt',
    from = source,
  ): OpenSource => from.open({ scheme: 'http', name, attrs, platform });
  const keyOf = async (opened: OpenSource, session = 'one'): Promise<string> =>
    (await opened.cacheKey(0, world.context(session), never)).key;
  async function treeOf(opened: OpenSource, session = 'one'): Promise<string> {
    await keyOf(opened, session);
    return world.dirOf(await opened.fetch(world.context(session), never));
  }
  const methods = (): readonly string[] => calls.splice(0).map(({ method }) => method);
  const read = (dir: string, name: string): string => fs.readFileSync(path.join(dir, name), 'utf8');
  const rejection = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('is one file, with the time the server gives it', async () => {
    const opened = open();
    expect(await keyOf(opened)).to.equal(
      'sha256:270b08b825223049fc468891e456b5b9a731ea1be9eeeba5f70f6aaea35f6de6',
    );
    const dir = await treeOf(opened);
    expect(namesIn(dir)).to.deep.equal(['f.txt']);
    const stat = fs.statSync(path.join(dir, 'f.txt'));
    expect([read(dir, 'f.txt'), stat.mode & 0o777, stat.mtimeMs]).to.deep.equal([
      'data\n',
      0o600,
      Date.parse(modified),
    ]);
    expect(methods()).to.deep.equal(['GET']);
    expect(world.progress.lines).to.deep.equal(['downloading f.txt', 'downloading f.txt done']);
    expect(await world.records()).to.deep.equal(['regular http url http://h.org/f.txt']);
  });

  it('is as old as time itself when the server gives none', async () => {
    resource = { text: 'x' };
    const dir = await treeOf(open({ 'http.perm': '0640', 'http.filename': 'name' }));
    const stat = fs.statSync(path.join(dir, 'name'));
    expect([stat.mode & 0o777, stat.mtimeMs]).to.deep.equal([0o640, 0]);
  });

  it('takes its name from the server before the URL', async () => {
    resource = { text: 'x', headers: { 'content-disposition': 'attachment; filename="../n.txt"' } };
    expect(namesIn(await treeOf(open()))).to.deep.equal(['n.txt']);
    resource = { text: 'x' };
    expect(namesIn(await treeOf(open({}, 'h.org/')))).to.deep.equal(['download']);
  });

  it('is only asked about again by the next build', async () => {
    const first = await treeOf(open());
    expect(await treeOf(open())).to.equal(first);
    expect(methods()).to.deep.equal(['GET']);
    expect(await treeOf(open(), 'two')).to.equal(first);
    expect(calls[0]).to.deep.include({ method: 'HEAD' });
    expect(calls[0]!.headers['if-none-match']).to.equal('"v1"');
    expect(methods()).to.deep.equal(['HEAD']);
  });

  it('is found unchanged where a server answers conditions without its tag, or not to HEAD', async () => {
    await keyOf(open());
    methods();
    override = (call) => (call.method === 'HEAD' ? { text: '', status: 405 } : undefined);
    await keyOf(open(), 'two');
    expect(methods()).to.deep.equal(['HEAD', 'GET']);
    override = () => ({ text: '', status: 304 });
    source = makeSource();
    await keyOf(open(), 'two');
    expect(methods()).to.deep.equal(['HEAD']);
  });

  it('is downloaded again when it changed, or when it has no tag', async () => {
    const before = await keyOf(open());
    resource = { text: 'other', headers: { etag: 'W/"v2"' } };
    expect(await keyOf(open(), 'two')).to.not.equal(before);
    expect(methods()).to.deep.equal(['GET', 'HEAD', 'GET']);
    resource = { text: 'other' };
    source = makeSource();
    await keyOf(open({}, 'h.org/untagged'), 'one');
    await keyOf(open({}, 'h.org/untagged'), 'two');
    expect(methods()).to.deep.equal(['GET', 'GET']);
  });

  it('is asked about with every tag that is here', async () => {
    const first = await treeOf(open());
    resource = { text: 'second', headers: { etag: '"v2"' } };
    await keyOf(open(), 'two');
    resource = { text: 'data\n', headers: { etag: '"v1"', 'last-modified': modified } };
    source = makeSource();
    expect(await treeOf(open())).to.equal(first);
    expect(calls.at(-1)!.headers['if-none-match']).to.include('"v1"').and.include('"v2"');
  });

  it('needs no server for its key when it has a checksum, and none at all when it is here', async () => {
    const checksum = { 'http.checksum': sha256('data\n') };
    await keyOf(open(checksum));
    expect(methods()).to.deep.equal([]);
    const dir = await treeOf(open(checksum));
    expect(methods()).to.deep.equal(['GET']);
    expect(await treeOf(open(checksum), 'two')).to.equal(dir);
    expect(methods()).to.deep.equal([]);
  });

  it('is refused, and not kept, when it is not what the checksum says', async () => {
    const checksum = { 'http.checksum': sha256('else') };
    expect(await rejection(treeOf(open(checksum)))).to.include({
      code: 'http.digest-mismatch',
      message: `digest mismatch for http://h.org/f.txt: ${sha256('data\n')} (expected: ${sha256('else')})`,
    });
    expect(await world.records()).to.deep.equal([]);
  });

  it('is downloaded once for builds at the same time', async () => {
    const trees = await Promise.all(['one', 'two', 'one', 'two'].map((id) => treeOf(open(), id)));
    expect(new Set(trees).size).to.equal(1);
    expect(methods()).to.deep.equal(['GET', 'HEAD']);
  });

  it('leaves nothing when a build is cancelled, nor when the connection breaks', async () => {
    const abort = new AbortController();
    during = async () => {
      abort.abort();
      abort.signal.throwIfAborted();
    };
    await rejection(open().cacheKey(0, world.context('one'), abort.signal));
    during = async () => {
      throw new Error('reset');
    };
    expect(await rejection(keyOf(open()))).to.have.property('message', 'reset');
    expect(await world.records()).to.deep.equal([]);
    during = async () => {};
    expect(read(await treeOf(open()), 'f.txt')).to.equal('data\n');
  });

  it('comes again when its tree was pruned between key and use', async () => {
    const opened = open();
    await keyOf(opened);
    for await (const _ of world.home.refs.prune(everything, never)) {
      // Removed one by one.
    }
    expect(read(await treeOf(opened), 'f.txt')).to.equal('data\n');
    expect(methods()).to.deep.equal(['GET', 'GET']);
  });

  it('fails with the status, the host, and no secrets of the URL', async () => {
    resource = { text: '', status: 403 };
    const error = await rejection(keyOf(open({}, 'me:pw@h.org/f?signature=s')));
    expect(error).to.include({
      message: 'invalid response status 403 Forbidden: GET http://xxxxx:xxxxx@h.org/f?…',
      grpcCode: 'PermissionDenied',
    });
    expect(error).to.have.property('hint').that.includes('HTTP_AUTH_TOKEN_h.org');
  });

  it('sends what the client has for the host, or the secret that is named', async () => {
    const own = makeSource(secretSession('one', { 'HTTP_AUTH_TOKEN_h.org': 'tok\n', S: 'Basic x' }));
    await keyOf(open({}, 'h.org/f', own));
    await keyOf(open({ 'http.authheadersecret': 'S', 'http.header.accept': 'a/b' }, 'h.org/f', own));
    await keyOf(open({}, 'other.org/f', own));
    expect(calls.map(({ headers }) => headers.authorization)).to.deep.equal([
      'Bearer tok',
      'Basic x',
      undefined,
    ]);
    expect(calls[1]!.headers).to.include({ accept: 'a/b', 'user-agent': 'buildkit-ts' });
    const missing = await rejection(keyOf(open({ 'http.authheadersecret': 'T' }, 'h.org/g', own)));
    expect(missing).to.have.property('message', 'failed to retrieve HTTP auth secret T: not found');
  });

  it('may come from the client itself', async () => {
    const pulled: string[] = [];
    const client: Session = {
      ...fakeSession({ id: 'one' }),
      uploads: {
        offered: true,
        async *pull(url) {
          pulled.push(url.pathname);
          yield Buffer.from('from the client');
        },
      },
    };
    const dir = await treeOf(
      open({ 'http.filename': 'context' }, 'buildkit-session/id1', makeSource(client)),
    );
    expect(read(dir, 'context')).to.equal('from the client');
    expect([pulled, methods()]).to.deep.equal([['/id1'], []]);
    const nobody = await rejection(keyOf(open({}, 'buildkit-session/id2')));
    expect(nobody).to.include({ code: 'http.no-upload' });
  });

  it('tells what a URL holds', async () => {
    const request = { scheme: 'http', name: 'h.org/f.txt', attrs: {}, platform };
    expect(await source.resolve(request, world.resolveContext(), never)).to.deep.equal({
      identifier: 'http://h.org/f.txt',
      http: { digest: sha256('data\n'), filename: 'f.txt', lastModified: Date.parse(modified) },
    });
  });
});
