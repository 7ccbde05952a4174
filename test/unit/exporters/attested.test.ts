import { expect } from 'chai';
import type { BuildResult, ResultAttestation } from '../../../core/contracts/exporter.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { Digest } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { AttributeReader } from '../../../plugins/exporters/shared/attributes.js';
import { readImageOptions } from '../../../plugins/exporters/shared/image/options.js';
import { ImageWriter, type WrittenImage } from '../../../plugins/exporters/shared/image/writer.js';
import { fakeContent } from '../../support/fake-content.js';
import { resultOf } from './results.js';

const { signal } = new AbortController();

const said = (metadata: Readonly<Record<string, string>> = {}): ResultAttestation => ({
  path: 'a.json',
  predicateType: 'urn:type',
  subjects: [],
  metadata: new Map(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value)])),
  predicate: async () => Buffer.from('{\n  "a": "<1>"\n}'),
});

const attested = (attestation: ResultAttestation): BuildResult => ({
  ...resultOf({ 'linux/amd64': [{ data: 'one' }] }),
  attestations: new Map([['linux/amd64', [attestation]]]),
});

async function written(result: BuildResult, attrs: Record<string, string> = {}): Promise<WrittenImage> {
  const options = readImageOptions(new AttributeReader('image', attrs), {
    ociTypes: false,
    inlineAttestations: false,
  });
  return new ImageWriter(fakeContent()).write(result, options, { progress: silentProgress }, signal);
}

async function text({ blobs }: WrittenImage, digest: Digest): Promise<string> {
  const { descriptor, provider } = blobs.find((blob) => blob.descriptor.digest === digest)!;
  const chunks: Uint8Array[] = [];
  for await (const chunk of provider.read(descriptor, {}, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('an image with attestations', () => {
  it('is an index of OCI types, whose last manifest speaks of the first', async () => {
    const image = await written(attested(said()), { name: 'a/b:1' });
    expect(image.root.mediaType).to.equal(mediaTypes.ociIndex);
    const { manifests } = JSON.parse(await text(image, image.root.digest));
    expect(manifests[1].platform).to.deep.equal({ architecture: 'unknown', os: 'unknown' });
    expect(manifests[1].annotations['vnd.docker.reference.digest']).to.equal(manifests[0].digest);
    const manifest = JSON.parse(await text(image, manifests[1].digest));
    expect(manifest.layers[0].annotations).to.deep.equal({ 'in-toto.io/predicate-type': 'urn:type' });
    const hex = manifests[0].digest.slice('sha256:'.length);
    expect(await text(image, manifest.layers[0].digest)).to.equal(
      '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"urn:type","subject":' +
        `[{"name":"pkg:docker/a/b@1?platform=linux%2Famd64","digest":{"sha256":"${hex}"}}],` +
        '"predicate":{"a":"\\u003c1\\u003e"}}',
    );
    const config = JSON.parse(await text(image, manifest.config.digest));
    expect(config).to.deep.include({ architecture: 'unknown', os: 'unknown' });
    expect(config.rootfs.diff_ids).to.deep.equal([manifest.layers[0].digest]);
  });

  it('keeps all of its blobs: what names others comes after them', async () => {
    const { blobs, root } = await written(attested(said()));
    expect(blobs).to.have.length(7);
    expect(blobs.at(-1)?.descriptor.digest).to.equal(root.digest);
  });

  it('is a plain one when they are for images that take everything, and this one does not', async () => {
    const inline = attested(said({ 'inline-only': 'true' }));
    expect((await written(inline)).root.mediaType).to.equal(mediaTypes.dockerManifest);
    expect((await written(inline, { 'attestation-inline': '' })).root.mediaType).to.equal(
      mediaTypes.ociIndex,
    );
  });

  it('has them as artifacts on request', async () => {
    const image = await written(attested(said()), { 'oci-artifact': 'true' });
    const { manifests } = JSON.parse(await text(image, image.root.digest));
    const manifest = JSON.parse(await text(image, manifests[1].digest));
    expect(manifest.artifactType).to.equal('application/vnd.docker.attestation.manifest.v1+json');
    expect(manifest.config).to.include({ mediaType: 'application/vnd.oci.empty.v1+json', data: 'e30=' });
    expect(manifest.subject).to.deep.equal({
      mediaType: mediaTypes.ociManifest,
      digest: manifests[0].digest,
      size: manifests[0].size,
    });
  });
});
