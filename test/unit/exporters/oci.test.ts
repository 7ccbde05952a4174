import { expect } from 'chai';
import { extract } from 'tar-stream';
import type { BuildResult } from '../../../core/contracts/exporter.js';
import type { Digest } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import {
  ArchiveExporter,
  type ArchiveFormat,
} from '../../../plugins/exporters/shared/image/archive-exporter.js';
import { receivingSession } from '../../contract/exporter.js';
import { fakeContent } from '../../support/fake-content.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { collect } from '../../support/fake-registry.js';
import { diffIdOf, resultOf } from './results.js';

const { signal } = new AbortController();
const config = {
  architecture: 'amd64',
  os: 'linux',
  config: { Labels: { 10: 'ten', 2: 'two', html: '<&>' } },
  huge: '@@',
};
// Not to be parsed into a double: kept as it is written.
const configText = JSON.stringify(config).replace('"@@"', '12345678901234567890');

interface Archive {
  readonly names: readonly string[];
  readonly files: ReadonlyMap<string, Buffer>;
  readonly bytes: Buffer;
  readonly response: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  json(digest: Digest): Record<string, never> & { layers: Record<string, string>[]; manifests: never[] };
  text(digest: Digest): string;
}

async function exported(
  result: BuildResult,
  attrs: Record<string, string> = {},
  format: ArchiveFormat = 'oci',
): Promise<Archive> {
  const { session, received } = receivingSession();
  const steps = new RecordedProgress();
  const context = { session: async () => session, index: 0, steps };
  const { response } = await new ArchiveExporter(fakeContent(), format)
    .open(attrs)
    .run(result, context, signal);
  const { data: bytes } = received[0]!;
  const files = await unpack(bytes);
  const text = (digest: Digest): string => files.get(`blobs/${digest.replace(':', '/')}`)!.toString();
  return {
    names: [...files.keys()],
    files,
    bytes,
    response,
    lines: steps.lines,
    json: (digest) => JSON.parse(text(digest)),
    text,
  };
}

async function unpack(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    expect(entry.header).to.include({ uid: 0, gid: 0 });
    expect(entry.header.mtime?.getTime()).to.equal(0);
    files.set(entry.header.name, await collect(entry as unknown as AsyncIterable<Uint8Array>));
  }
  return files;
}

describe('oci exporter', () => {
  const layers = [
    { data: 'base', createdAt: 1000 },
    { data: 'mine', createdAt: 2000, description: 'RUN x' },
  ];
  const single = resultOf({ 'linux/amd64': layers }, { 'containerimage.config': configText });

  it('writes a layout in name order, and says what it wrote', async () => {
    const image = await exported(single, { name: 'example.com/a/b,x:1' });
    const { response } = image;
    const root = response['containerimage.digest'] as Digest;
    expect(image.names).to.deep.equal([...image.names].sort());
    expect(image.names.filter((name) => !name.startsWith('blobs/sha256/'))).to.deep.equal([
      'blobs/',
      'index.json',
      'oci-layout',
    ]);
    const index = JSON.parse(image.files.get('index.json')!.toString());
    expect(index.manifests.map(({ digest }: { digest: string }) => digest)).to.deep.equal([root, root]);
    expect(index.manifests[1].annotations).to.include({
      'io.containerd.image.name': 'docker.io/library/x:1',
      'org.opencontainers.image.ref.name': '1',
    });
    expect(response['image.name']).to.equal('example.com/a/b:latest,docker.io/library/x:1');
    const announced = JSON.parse(Buffer.from(response['containerimage.descriptor']!, 'base64').toString());
    expect(announced).to.include({ digest: root, mediaType: mediaTypes.ociManifest });
    expect(announced.platform).to.deep.equal({ architecture: 'amd64', os: 'linux' });
    expect(image.lines.filter((line) => line.endsWith(' done'))).to.have.members([
      'exporting layers done',
      `exporting manifest ${root} done`,
      `exporting config ${response['containerimage.config.digest']} done`,
      'sending tarball done',
    ]);
  });

  it('writes manifests as BuildKit indents them', async () => {
    const image = await exported(single);
    const text = image.text(image.response['containerimage.digest'] as Digest);
    expect(text).to.equal(JSON.stringify(JSON.parse(text), undefined, 2));
    expect(JSON.parse(text).layers[0]).to.deep.equal({
      mediaType: `${mediaTypes.ociLayer}+gzip`,
      digest: JSON.parse(text).layers[0].digest,
      size: 4,
    });
  });

  it('keeps the config byte for byte, but for what it knows better', async () => {
    const image = await exported(single);
    expect(image.text(image.response['containerimage.config.digest'] as Digest)).to.equal(
      '{"architecture":"amd64",' +
        '"config":{"Labels":{"2":"two","10":"ten","html":"\\u003c\\u0026\\u003e"}},' +
        '"created":"1970-01-01T00:00:02Z",' +
        '"history":[' +
        '{"created":"1970-01-01T00:00:01Z","created_by":"created by buildkit","comment":"buildkit.exporter.image.v0"},' +
        '{"created":"1970-01-01T00:00:02Z","created_by":"RUN x","comment":"buildkit.exporter.image.v0"}],' +
        '"huge":12345678901234567890,"os":"linux",' +
        `"rootfs":{"type":"layers","diff_ids":["${diffIdOf('base')}","${diffIdOf('mine')}"]}}`,
    );
  });

  it('gives plain LLB a config that a shell runs in', async () => {
    const image = await exported(resultOf({ 'linux/amd64': [] }));
    expect(image.text(image.response['containerimage.config.digest'] as Digest)).to.equal(
      '{"architecture":"amd64","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],' +
        '"WorkingDir":"/"},"created":null,"history":null,"os":"linux","rootfs":{"type":"layers","diff_ids":null}}',
    );
  });

  it('makes equal archives of equal results under an epoch', async () => {
    const attrs = { 'source-date-epoch': '1' };
    const [first, second] = [await exported(single, attrs), await exported(single, attrs)];
    expect(first.bytes.equals(second.bytes)).to.equal(true);
    const written = first.json(first.response['containerimage.config.digest'] as Digest);
    expect(written.created).to.equal('1970-01-01T00:00:01Z');
  });

  it('writes an index for several platforms', async () => {
    const result = resultOf(
      { 'linux/amd64': layers, 'linux/arm/v7': [{ data: 'arm' }] },
      { 'containerimage.config/linux/arm/v7': '{"os":"linux","architecture":"arm","variant":"v7"}' },
    );
    const image = await exported(result, {
      'annotation-index.k': 'v',
      'annotation-manifest[linux/arm/v7].only': 'arm',
    });
    const index = image.json(image.response['containerimage.digest'] as Digest);
    expect(image.response).not.to.have.property('containerimage.config.digest');
    expect(index).to.deep.include({ mediaType: mediaTypes.ociIndex, annotations: { k: 'v' } });
    const [amd64, arm] = index.manifests as { platform: object; digest: Digest }[];
    expect(amd64?.platform).to.deep.equal({ architecture: 'amd64', os: 'linux' });
    expect(arm?.platform).to.deep.equal({ architecture: 'arm', os: 'linux', variant: 'v7' });
    expect(image.json(arm!.digest).annotations).to.deep.equal({ only: 'arm' });
    expect(image.json(amd64!.digest)).not.to.have.property('annotations');
  });

  it('lists platforms as the frontend did, whichever was finished first', async () => {
    const result = resultOf({ 'linux/arm64': [], 'linux/amd64': [], 'linux/386': [] });
    const image = await exported({ ...result, platforms: [...result.platforms].reverse() });
    const { manifests } = image.json(image.response['containerimage.digest'] as Digest);
    expect(
      manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture),
    ).to.deep.equal(['arm64', 'amd64', '386']);
  });

  it("turns Docker's layer types into OCI's, and leaves out what is only kept for itself", async () => {
    const annotations = { 'containerd.io/uncompressed': 'x', 'buildkit/createdat': 'y', own: 'z' };
    const mediaType = `${mediaTypes.dockerForeignLayer}.gzip`;
    const result = resultOf({ 'linux/amd64': [{ data: 'a', mediaType, annotations }] });
    const layer = async (attrs = {}): Promise<object | undefined> => {
      const image = await exported(result, attrs);
      return image.json(image.response['containerimage.digest'] as Digest).layers[0];
    };
    expect(await layer()).to.deep.include({
      mediaType: `${mediaTypes.ociLayer}+gzip`,
      annotations: { own: 'z' },
    });
    expect(await layer({ 'prefer-nondist-layers': 'true' })).to.include({
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    });
    expect(await layer({ 'oci-mediatypes': 'false' })).to.include({
      mediaType: `${mediaTypes.dockerLayer}.gzip`,
    });
  });

  it('stores a blob once, however often it occurs', async () => {
    const image = await exported(resultOf({ 'linux/amd64': [{ data: 'same' }, { data: 'same' }] }));
    expect(image.names.filter((name) => /sha256\/./.test(name))).to.have.length(3);
  });

  it("takes the frontend's name for *", async () => {
    const named = resultOf({ 'linux/amd64': [] }, { 'image.name': 'a/b:1' });
    expect((await exported(named, { name: '*' })).response['image.name']).to.equal('docker.io/a/b:1');
  });

  it('refuses what it does not support, or what contradicts itself', async () => {
    const open = (attrs: Record<string, string>) => () =>
      new ArchiveExporter(fakeContent(), 'oci').open(attrs);
    expect(open({ compression: 'estargz' })).not.to.throw();
    expect(open({ compression: 'gzp' })).to.throw('(did you mean "gzip"?)');
    expect(open({ 'compression-level': '12' })).to.throw('expected 0 to 9 for gzip');
    expect(open({ compression: 'zstd', 'compression-level': '12' })).not.to.throw();
    expect(open({ 'annotation-manifst.k': 'v' })).to.throw('unrecognized annotation type "manifst"');
    const failure = async (attrs: Record<string, string>): Promise<string> =>
      exported(single, attrs).then(
        () => '',
        ({ message }) => message,
      );
    expect(await failure({ 'annotation-index.k': 'v' })).to.equal(
      'index annotations not supported for single platform export',
    );
    expect(await failure({ 'annotation[linux/s390x].k': 'v' })).to.contain(
      'no platform linux/s390x found in source',
    );
    expect(await failure({ name: 'A' })).to.contain('must be lowercase');
  });
});

describe('docker exporter', () => {
  const layers = [{ data: 'base' }, { data: 'mine' }];

  it('adds the manifest that docker load reads', async () => {
    const image = await exported(resultOf({ 'linux/amd64': layers }), { name: 'x,r.io/a/b:1' }, 'docker');
    const [described, ...others] = JSON.parse(image.files.get('manifest.json')!.toString());
    const manifest = image.json(image.response['containerimage.digest'] as Digest);
    const path = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
    expect(others).to.deep.equal([]);
    expect(described).to.deep.equal({
      Config: path(image.response['containerimage.config.digest']!),
      RepoTags: ['x:latest', 'r.io/a/b:1'],
      Layers: manifest.layers.map(({ digest }) => path(digest!)),
    });
    expect(manifest.layers[0]!.mediaType).to.equal(`${mediaTypes.dockerLayer}.gzip`);
    expect(image.names).to.include.members(Object.values(described).flat().slice(0, 1));
  });

  it('holds one platform only', async () => {
    const two = resultOf({ 'linux/amd64': layers, 'linux/arm64': layers });
    const error = await exported(two, {}, 'docker').catch((reason) => reason);
    expect(error.message).to.equal('docker exporter does not currently support exporting manifest lists');
  });
});
