import { expect } from 'chai';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { SourceContext, SourceMeta } from '../../../core/contracts/source.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { chainId } from '../../../core/util/chain-id.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { ImageSource } from '../../../plugins/sources/image/image-source.js';
import { manifestKey } from '../../../plugins/sources/shared/image-keys.js';
import { type FakeBlob, fakeContent } from '../../support/fake-content.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';
import { RecordedRefs } from '../../support/recorded-refs.js';

const { signal } = new AbortController();
const amd64 = parsePlatform('linux/amd64');
const layers = [Buffer.from('one'), Buffer.from('two')];
const diffIds = layers.map(sha256);

describe('image source', () => {
  let registry: FakeRegistry;
  let client: RegistryClient;
  let blobs: Map<Digest, FakeBlob>;
  let source: ImageSource;
  let refs: RecordedRefs;
  let progress: RecordedProgress;

  beforeEach(async () => {
    registry = await FakeRegistry.start();
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(fakeSession()),
      logger: silentLogger,
      retryDelays: [],
    });
    blobs = new Map();
    source = new ImageSource(client, fakeContent(blobs));
    refs = new RecordedRefs();
    progress = new RecordedProgress();
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const open = (name: string, attrs: Record<string, string> = {}, platform = amd64) =>
    source.open({ scheme: 'docker-image', name: `${registry.host}/${name}`, attrs, platform });
  const context = (session = 'session1'): SourceContext => ({
    worker: refs.worker,
    sessions: group(session),
    progress,
  });
  const failure = async (promise: Promise<unknown>): Promise<Error & { code: string }> =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error) => error,
    );

  it('has two keys and hands out lazy layers', async () => {
    const digest = registry.addImage('a/b', '1', layers);
    const image = open('a/b:1');
    expect(await image.cacheKey(0, context(), signal)).to.deep.equal({
      key: manifestKey(digest, amd64, undefined),
      done: false,
      origin: { kind: 'image', ref: `${registry.host}/a/b:1`, platform: amd64, digest, local: false },
    });
    expect(await image.cacheKey(1, context(), signal)).to.deep.equal({ key: chainId(diffIds), done: true });
    expect((await image.fetch(context(), signal))?.id).to.equal('pulled');
    const [{ layers: lazy, options }] = refs.fromLayers as [(typeof refs.fromLayers)[0]];
    expect(lazy.map(({ diffId }) => diffId)).to.deep.equal(diffIds);
    expect(options).to.deep.include({ description: `pulled from ${registry.host}/a/b:1`, type: 'regular' });
    expect(options.blobs).to.have.length(2).and.include(digest);
    expect(registry.requests.filter((line) => /blobs\/(?!.*config)/.test(line))).to.have.length(1);
    expect(progress.lines).to.deep.equal([
      `resolve ${registry.host}/a/b:1`,
      `resolve ${registry.host}/a/b:1 done`,
    ]);
  });

  it('offers its layers to results of earlier builds that never read them', async () => {
    registry.addImage('a/b', '1', layers);
    await open('a/b:1').cacheKey(0, context(), signal);
    expect(refs.offered.map((offered) => offered.map(({ diffId }) => diffId))).to.deep.equal([diffIds]);
    expect(refs.fromLayers).to.deep.equal([]);
  });

  it('asks the registry once per build, however many steps start from one image', async () => {
    registry.addImage('a/b', '1', layers);
    await Promise.all(Array.from({ length: 24 }, () => open('a/b:1').cacheKey(0, context(), signal)));
    expect(registry.requests).to.have.length(3);
    await open('a/b:1').cacheKey(0, context('another'), signal);
    expect(registry.requests.slice(3)).to.deep.equal(['HEAD /v2/a/b/manifests/1']);
  });

  it('asks again with resolve mode pull', async () => {
    registry.addImage('a/b', '1', layers);
    await open('a/b:1').cacheKey(0, context(), signal);
    await open('a/b:1', { 'image.resolvemode': 'pull' }).cacheKey(0, context(), signal);
    expect(registry.requests.filter((line) => line.startsWith('HEAD'))).to.have.length(2);
  });

  it('answers a digest it has seen without the registry', async () => {
    const digest = registry.addImage('a/b', '1', layers);
    await open('a/b:1').cacheKey(0, context(), signal);
    await registry[Symbol.asyncDispose]();
    const key = await open(`a/b:1@${digest}`).cacheKey(1, context('another'), signal);
    expect(key.key).to.equal(chainId(diffIds));
  });

  it('asks the registry for documents that are collected as garbage just when they are looked at', async () => {
    registry.addImage('a/b', '1', layers);
    const content = fakeContent(blobs);
    await new ImageSource(client, content)
      .open({ scheme: 'docker-image', name: `${registry.host}/a/b:1`, attrs: {}, platform: amd64 })
      .cacheKey(0, context(), signal);
    source = new ImageSource(client, {
      ...content,
      async readBlob(digest) {
        blobs.delete(digest);
        return content.readBlob(digest);
      },
      async label(digest, labels) {
        blobs.delete(digest);
        return content.label(digest, labels);
      },
    });
    const key = await open('a/b:1').cacheKey(1, context('another'), signal);
    expect(key.key).to.equal(chainId(diffIds));
  });

  it("does not open another repository's image by its digest", async () => {
    const digest = registry.addImage('secret/b', '1', layers);
    await open('secret/b:1').cacheKey(0, context(), signal);
    const error = await failure(open(`a/c@${digest}`).cacheKey(0, context(), signal));
    expect(error.code).to.equal('registry.not-found');
  });

  describe('with several platforms', () => {
    let root: Digest;
    beforeEach(() => {
      const manifests = ['amd64', 'arm64'].map((architecture, i) => {
        const platform = { os: 'linux', architecture };
        const digest = registry.addImage('a/b', architecture, [layers[i]!], platform);
        return { mediaType: mediaTypes.ociManifest, digest, size: 1, platform };
      });
      const unknown = { ...manifests[0], platform: { os: 'unknown', architecture: 'unknown' } };
      root = registry.addManifest('a/b', '1', { manifests: [unknown, ...manifests] }, mediaTypes.ociIndex);
    });

    it('takes the one asked for, keyed by the index', async () => {
      const arm64 = parsePlatform('linux/arm64');
      const image = open('a/b:1', {}, arm64);
      expect((await image.cacheKey(0, context(), signal)).key).to.equal(manifestKey(root, arm64, undefined));
      expect((await image.cacheKey(1, context(), signal)).key).to.equal(diffIds[1]);
    });

    it('names those there are when none fits', async () => {
      const error = await failure(
        open('a/b:1', {}, parsePlatform('linux/s390x')).cacheKey(0, context(), signal),
      );
      expect(error.message).to.match(
        /a\/b:1: no match for platform linux\/s390x in manifest: not found \(available: linux\/amd64, linux\/arm64\)$/,
      );
    });
  });

  it('takes the lowest layers only', async () => {
    registry.addImage('a/b', '1', layers);
    const image = open('a/b:1', { 'image.layerlimit': '1', 'image.recordtype': 'frontend' });
    expect((await image.cacheKey(1, context(), signal)).key).to.equal(diffIds[0]);
    await image.fetch(context(), signal);
    expect(refs.fromLayers[0]?.layers).to.have.length(1);
    expect(refs.fromLayers[0]?.options.type).to.equal('frontend');
    const error = await failure(open('a/b:1', { 'image.layerlimit': '3' }).cacheKey(0, context(), signal));
    expect(error.message).to.contain('layer limit 3 is greater than the number of layers in the image');
  });

  it('checks the expected digest', async () => {
    const digest = registry.addImage('a/b', '1', layers);
    await open('a/b:1', { 'image.checksum': digest }).cacheKey(0, context(), signal);
    const error = await failure(
      open('a/b:1', { 'image.checksum': sha256('other') }).cacheKey(0, context(), signal),
    );
    expect(error.code).to.equal('image.checksum-mismatch');
  });

  it('answers digest and config to frontends', async () => {
    const digest = registry.addImage('a/b', '1', layers);
    const request = { scheme: 'docker-image', name: `${registry.host}/a/b:1`, attrs: {}, platform: amd64 };
    const logName = `[internal] load metadata for ${registry.host}/a/b:1`;
    const resolve = { worker: refs.worker, sessions: group('session1'), steps: progress, logName };
    const meta = (await source.resolve(request, resolve, signal)) as Required<SourceMeta>;
    expect(meta.identifier).to.equal(`docker-image://${registry.host}/a/b:1@${digest}`);
    expect(meta.image.digest).to.equal(digest);
    expect(JSON.parse(Buffer.from(meta.image.config).toString()).config).to.deep.equal({ Env: ['A=b'] });
    expect(progress.lines).to.deep.equal([`step ${logName}`]);
  });

  it('refuses attributes it does not know or understand', () => {
    const cases: readonly [Record<string, string>, string][] = [
      [
        { 'image.resolvmode': 'pull' },
        'unknown attribute "image.resolvmode" of a docker-image source (did you mean "image.resolvemode"?)',
      ],
      [
        { 'image.resolvemode': 'never' },
        'invalid value "never" for attribute image.resolvemode: expected default, pull, local',
      ],
      [
        { 'image.layerlimit': '0' },
        'invalid value "0" for attribute image.layerlimit: expected a number above zero',
      ],
      [{ 'image.checksum': 'abc' }, 'invalid value "abc" for attribute image.checksum: expected a digest'],
      [
        { 'image.recordtype': 'x' },
        'invalid value "x" for attribute image.recordtype: expected regular, internal, frontend',
      ],
    ];
    for (const [attrs, message] of cases) expect(() => open('a/b:1', attrs)).to.throw(message);
    expect(() => open('A/B')).to.throw('must be lowercase');
  });
});
