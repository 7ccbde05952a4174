import { expect } from 'chai';
import type { ClientContent } from '../../../core/contracts/session.js';
import type { SourceContext } from '../../../core/contracts/source.js';
import { chainId } from '../../../core/util/chain-id.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { OciLayoutSource } from '../../../plugins/sources/oci-layout/oci-layout-source.js';
import { manifestKey } from '../../../plugins/sources/shared/image-keys.js';
import { type FakeBlob, fakeContent } from '../../support/fake-content.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { collect } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';
import { RecordedRefs } from '../../support/recorded-refs.js';

const { signal } = new AbortController();
const amd64 = parsePlatform('linux/amd64');
const layers = [Buffer.from('one'), Buffer.from('two')];
const diffIds = layers.map(sha256);

/** A client's layout in memory. */
class Layout implements ClientContent {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly asked: string[] = [];

  add(data: Uint8Array | object): { digest: Digest; size: number } {
    const bytes = data instanceof Uint8Array ? data : Buffer.from(JSON.stringify(data));
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  addImage(): Digest {
    const config = this.add({ rootfs: { type: 'layers', diff_ids: diffIds } });
    return this.add({
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, ...config },
      layers: layers.map((layer) => ({ mediaType: mediaTypes.ociLayer, ...this.add(layer) })),
    }).digest;
  }

  async info(digest: Digest) {
    this.asked.push(digest);
    const data = this.blobs.get(digest);
    return data && { digest, size: data.length, createdAt: 0, labels: {} };
  }

  async *read({ digest }: { digest: Digest }, { offset = 0, length }: { offset?: number; length?: number }) {
    const end = length === undefined ? undefined : offset + length;
    yield this.blobs.get(digest)!.subarray(offset, end);
  }

  async write(): Promise<void> {
    throw new Error('nobody writes here');
  }
}

describe('oci-layout source', () => {
  let layout: Layout;
  let blobs: Map<Digest, FakeBlob>;
  let source: OciLayoutSource;
  let refs: RecordedRefs;
  let progress: RecordedProgress;

  beforeEach(() => {
    layout = new Layout();
    blobs = new Map();
    refs = new RecordedRefs();
    progress = new RecordedProgress();
    source = new OciLayoutSource(
      fakeSessions(
        fakeSession({ id: 'without' }),
        fakeSession({ id: 'empty', stores: { 'oci:base': new Layout() } }),
        fakeSession({ id: 'with', stores: { 'oci:base': layout } }),
      ),
      fakeContent(blobs),
    );
  });

  const open = (digest: Digest | '', attrs: Record<string, string> = { 'oci.store': 'base' }) =>
    source.open({
      scheme: 'oci-layout',
      name: `docker.io/library/base${digest ? `@${digest}` : ':1'}`,
      attrs,
      platform: amd64,
    });
  const context = (...ids: string[]): SourceContext => ({
    worker: refs.worker,
    sessions: group(...ids),
    progress,
  });
  const failure = async (promise: Promise<unknown>): Promise<Error & { code: string }> =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error) => error,
    );

  it('has the keys of the same image in a registry, and hands out lazy layers', async () => {
    const digest = layout.addImage();
    const image = open(digest);
    expect(await image.cacheKey(0, context('with'), signal)).to.deep.equal({
      key: manifestKey(digest, amd64, undefined),
      done: false,
      origin: {
        kind: 'image',
        ref: `docker.io/library/base@${digest}`,
        platform: amd64,
        digest,
        local: true,
      },
    });
    expect(await image.cacheKey(1, context('with'), signal)).to.deep.equal({
      key: chainId(diffIds),
      done: true,
    });
    await image.fetch(context('with'), signal);
    const [{ layers: lazy, options }] = refs.fromLayers as [(typeof refs.fromLayers)[0]];
    expect(options.blobs).to.have.length(2).and.include(digest);
    const first = lazy[0]!;
    expect((await collect(first.provider.read(first.descriptor, {}, signal))).toString()).to.equal('one');
    const tail = first.provider.read(first.descriptor, { offset: 1 }, signal);
    expect((await collect(tail)).toString()).to.equal('ne');
  });

  it('asks the sessions of the build in turn', async () => {
    const digest = layout.addImage();
    const { key } = await open(digest).cacheKey(1, context('without', 'empty', 'with'), signal);
    expect(key).to.equal(chainId(diffIds));
  });

  it('asks only the session that is named', async () => {
    const digest = layout.addImage();
    const attrs = { 'oci.store': 'base', 'oci.session': 'empty' };
    const error = await failure(open(digest, attrs).cacheKey(0, context('with'), signal));
    expect(error.message).to.contain(`blob ${digest} is not in the layout`);
  });

  it('asks the client again, even for what another build has read', async () => {
    const digest = layout.addImage();
    await open(digest).cacheKey(0, context('with'), signal);
    expect(blobs.has(digest)).to.equal(true);
    const error = await failure(open(digest).cacheKey(0, context('empty'), signal));
    expect(error.code).to.equal('source.no-blob');
  });

  it('detects blobs that are not what their names say', async () => {
    const digest = layout.addImage();
    layout.blobs.set(digest, Buffer.from('{}'));
    const error = await failure(open(digest).cacheKey(0, context('with'), signal));
    expect(error.message).to.contain(`under the name ${digest}`);
  });

  it('takes the lowest layers only', async () => {
    const image = open(layout.addImage(), { 'oci.store': 'base', 'oci.layerlimit': '1' });
    expect((await image.cacheKey(1, context('with'), signal)).key).to.equal(diffIds[0]);
  });

  it('answers digest and config to frontends', async () => {
    const digest = layout.addImage();
    const name = `docker.io/library/base@${digest}`;
    const request = { scheme: 'oci-layout', name, attrs: { 'oci.store': 'base' }, platform: amd64 };
    const resolve = { worker: refs.worker, sessions: group('with'), steps: progress, logName: 'load' };
    const meta = await source.resolve(request, resolve, signal);
    expect(meta.identifier).to.equal(`oci-layout://${name}`);
    expect(meta.image?.digest).to.equal(digest);
    expect(JSON.parse(Buffer.from(meta.image!.config).toString()).rootfs.diff_ids).to.deep.equal(diffIds);
  });

  it('wants a digest, and known attributes', () => {
    expect(() => open('')).to.throw('must have digest');
    expect(() => open(sha256('x'), { 'oci.stor': 'base' })).to.throw('did you mean "oci.store"?');
    expect(() => open(sha256('x'), { 'oci.layerlimit': '0' })).to.throw('expected a number above zero');
  });
});
