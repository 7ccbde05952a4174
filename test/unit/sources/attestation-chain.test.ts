import { expect } from 'chai';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { AttestationChain } from '../../../core/contracts/source.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { ImageSource } from '../../../plugins/sources/image/image-source.js';
import { fakeContent } from '../../support/fake-content.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';
import { RecordedRefs } from '../../support/recorded-refs.js';

const { signal } = new AbortController();
const platform = parsePlatform('linux/amd64');
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const cosignType = 'application/vnd.dev.cosign.artifact.sig.v1+json';

describe('attestation chain of an image', () => {
  let registry: FakeRegistry;
  let client: RegistryClient;
  let image: Digest;
  let attestation: Digest;
  let root: Digest;

  beforeEach(async () => {
    registry = await FakeRegistry.start();
    const sessions = fakeSessions(fakeSession());
    client = new RegistryClient({ hosts: {}, sessions, logger: silentLogger, retryDelays: [] });
    image = registry.addImage('a/b', 'image', [Buffer.from('one')]);
    attestation = add({ layers: [registry.addBlob(Buffer.from('statement'))] });
    root = registry.addManifest(
      'a/b',
      '1',
      {
        manifests: [
          entry(image, { platform: { os: 'linux', architecture: 'amd64' } }),
          entry(attestation, {
            platform: { os: 'unknown', architecture: 'unknown' },
            annotations: {
              'vnd.docker.reference.type': 'attestation-manifest',
              'vnd.docker.reference.digest': image,
            },
          }),
        ],
      },
      mediaTypes.ociIndex,
    );
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const sizeOf = (digest: Digest): number => registry.manifests.get(`a/b:${digest}`)!.data.length;
  const entry = (digest: Digest, more: object) => ({
    mediaType: mediaTypes.ociManifest,
    digest,
    size: sizeOf(digest),
    ...more,
  });
  const add = (value: { layers: readonly object[] }): Digest => {
    const config = { mediaType: mediaTypes.ociConfig, ...registry.addBlob(Buffer.from('{}')) };
    return registry.addManifest('a/b', `made${registry.manifests.size}`, { config, ...value });
  };
  const signature = (text: string): { readonly digest: Digest; readonly layer: Digest } => {
    const layer = registry.addBlob(Buffer.from(text));
    return { digest: add({ layers: [{ mediaType: bundleType, ...layer }] }), layer: layer.digest };
  };
  /** As registries without the endpoint keep it. */
  const refer = (...manifests: readonly object[]): void => {
    registry.addManifest('a/b', attestation.replace(':', '-'), { manifests }, mediaTypes.ociIndex);
  };

  async function chain(tag = '1'): Promise<AttestationChain | undefined> {
    const refs = new RecordedRefs();
    const source = new ImageSource(client, fakeContent(new Map()));
    const request = { scheme: 'docker-image', name: `${registry.host}/a/b:${tag}`, attrs: {}, platform };
    const context = {
      worker: refs.worker,
      sessions: group('session1'),
      steps: new RecordedProgress(),
      logName: 'look',
      attestationChain: true,
    };
    const meta = await source.resolve(request, context, signal);
    expect(meta.image?.digest).to.equal(tag === '1' ? root : image);
    return meta.image?.attestationChain;
  }

  it('ends with the attestations when nobody signed them', async () => {
    const found = await chain();
    expect({ ...found, blobs: [...found!.blobs.keys()] }).to.deep.equal({
      root,
      imageManifest: image,
      attestationManifest: attestation,
      signatureManifests: [],
      blobs: [root, attestation],
    });
  });

  it('holds a signature, a bundle rather than another', async () => {
    const [cosign, bundle] = [signature('cosign'), signature('bundle')];
    refer(
      entry(sha256(registry.manifests.get(`a/b:${cosign.digest}`)!.data), { artifactType: cosignType }),
      entry(bundle.digest, { artifactType: bundleType }),
      entry(image, { artifactType: 'application/other' }),
    );
    const found = await chain();
    expect(found?.signatureManifests).to.deep.equal([bundle.digest]);
    expect([...found!.blobs.keys()]).to.deep.equal([root, attestation, bundle.digest, bundle.layer]);
    expect(Buffer.from(found!.blobs.get(bundle.layer)!.data).toString()).to.equal('bundle');
  });

  it('asks the endpoint for referrers first', async () => {
    const bundle = signature('bundle');
    const listed = { manifests: [entry(bundle.digest, { artifactType: bundleType })] };
    registry.troubles.push(({ url }, response) => {
      if (!url?.includes(`/referrers/${attestation}`)) return false;
      response.writeHead(200, { 'content-type': mediaTypes.ociIndex }).end(JSON.stringify(listed));
      return true;
    });
    expect((await chain())?.signatureManifests).to.deep.equal([bundle.digest]);
  });

  it('is there for indexes only', async () => {
    const error = await chain('image').then(
      () => expect.fail('it succeeded'),
      (reason: Error) => reason,
    );
    expect(error.message).to.contain(`expected image index descriptor, got ${mediaTypes.ociManifest}`);
  });
});
