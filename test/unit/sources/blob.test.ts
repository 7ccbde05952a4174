import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { imageBlob, ociLayoutBlob } from '../../../client/llb/index.js';
import { LayoutStore } from '../../../client/session/layout-store.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { SourceContext } from '../../../core/contracts/source.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { type Digest, hexOf, sha256 } from '../../../core/util/digest.js';
import { defaultPlatform } from '../../../core/util/platform.js';
import { ImageBlobSource } from '../../../plugins/sources/image/image-blob-source.js';
import { LayoutBlobSource } from '../../../plugins/sources/oci-layout/layout-blob-source.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { makeTempDir } from '../../support/trees.js';

const { signal } = new AbortController();
const data = Buffer.alloc(600_000, 'blob');
const digest = sha256(data);

describe('blob sources', () => {
  let home: string;
  let tree: string;
  let committed: number;
  let registry: FakeRegistry;
  let client: RegistryClient;
  const threads = new InlineThreads();

  beforeEach(async () => {
    home = makeTempDir();
    tree = join(home, 'tree');
    mkdirSync(tree);
    committed = 0;
    registry = await FakeRegistry.start();
    registry.addBlob(data);
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(fakeSession()),
      logger: silentLogger,
      retryDelays: [],
    });
  });
  afterEach(async () => {
    rmSync(home, { recursive: true });
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  /** A worker whose only tree is a folder. */
  const context = (): SourceContext => {
    let disposed = false;
    const mutable = {
      view: async () => ({ layers: [tree] }),
      commit: async () => {
        await Promise.resolve();
        if (disposed) throw new Error('the tree was disposed before it was committed');
        committed++;
        return { id: 'tree' };
      },
      [Symbol.asyncDispose]: async () => {
        disposed = true;
      },
    };
    const worker = { refs: { create: async () => mutable } };
    return { worker, sessions: group('session1'), progress: new RecordedProgress() } as never;
  };
  const image = (attrs: Record<string, string> = {}, blob: Digest = digest) =>
    new ImageBlobSource(client, threads).open({
      scheme: 'docker-image+blob',
      name: `${registry.host}/a/b@${blob}`,
      attrs,
      platform: defaultPlatform(),
    });

  it('bring a blob of a registry as a file', async () => {
    await image().fetch(context(), signal);
    const file = join(tree, hexOf(digest));
    expect(readFileSync(file).equals(data)).to.equal(true);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(statSync(file).mtimeMs).to.equal(0);
    expect(committed).to.equal(1);
  });

  it('name the file and its rights as they are told to', async () => {
    await image({ 'http.filename': 'tool', 'http.perm': '0755' }).fetch(context(), signal);
    expect(statSync(join(tree, 'tool')).mode & 0o777).to.equal(0o755);
  });

  it('are keyed without asking anybody', async () => {
    const key = async (attrs: Record<string, string>) =>
      (await image(attrs).cacheKey(0, context(), signal)).key;
    const expected = `{"Digest":"${digest}","Filename":"tool","Perm":493,"UID":1,"GID":2}`;
    const attrs = { 'http.filename': 'tool', 'http.perm': '0755', 'http.uid': '1', 'http.gid': '2' };
    expect(await key(attrs)).to.equal(sha256(expected));
    expect(registry.requests).to.deep.equal([]);
  });

  it('bring a blob of a layout', async () => {
    const store = new LayoutStore(join(home, 'layout'), { writable: true });
    const whole = async function* () {
      yield data;
    };
    await store.write({ digest, size: data.length }, whole(), signal);
    const sessions = fakeSessions(fakeSession({ stores: { 'oci:base': store } }));
    const source = new LayoutBlobSource(sessions, threads);
    const request = {
      scheme: 'oci-layout+blob',
      name: `base@${digest}`,
      attrs: { 'oci.store': 'base' },
      platform: defaultPlatform(),
    };
    await source.open(request).fetch(context(), signal);
    expect(readFileSync(join(tree, hexOf(digest))).equals(data)).to.equal(true);
    expect(() => source.open({ ...request, attrs: {} })).to.throw('requires a store');
  });

  it('keep nothing that is not what its name says', async () => {
    registry.blobs.set(digest, Buffer.from('other'));
    const error = await image()
      .fetch(context(), signal)
      .then(
        () => expect.fail('it succeeded'),
        (reason) => reason,
      );
    expect(error.code).to.equal('source.digest-mismatch');
    expect(committed).to.equal(0);
  });

  it('say that there is no such blob', async () => {
    const error = await image({}, sha256('missing'))
      .fetch(context(), signal)
      .then(
        () => expect.fail('it succeeded'),
        (reason) => reason,
      );
    expect(error).to.include({ code: 'registry.blob-not-found', grpcCode: 'NotFound' });
  });

  it('take a digest, and no tag', () => {
    const open = (name: string) => () =>
      new ImageBlobSource(client, threads).open({
        scheme: 'docker-image+blob',
        name,
        attrs: {},
        platform: defaultPlatform(),
      });
    expect(open(`a/b:1@${digest}`)).to.throw('tagged image reference not allowed');
    expect(open('a/b')).to.throw('checksum required in blob reference');
    expect(() => imageBlob('a/b')).to.throw('named by its digest');
    expect(() => ociLayoutBlob(`a:1@${digest}`, { storeId: 'x' })).to.throw('without a tag');
  });
});
