import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Descriptor } from '../../../core/contracts/content.js';
import type { BuildResult, Exporter } from '../../../core/contracts/exporter.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { SourceContext } from '../../../core/contracts/source.js';
import { sha256 } from '../../../core/util/digest.js';
import { parseImageReference } from '../../../core/util/image-reference.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { ArchiveExporter } from '../../../plugins/exporters/shared/image/archive-exporter.js';
import { TarExporter } from '../../../plugins/exporters/tar/tar-exporter.js';
import { ImageSource } from '../../../plugins/sources/image/image-source.js';
import { receivingSession } from '../../contract/exporter.js';
import { DockerRegistry, hasDockerRegistry } from '../../support/docker-registry.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { group } from '../../support/fake-session.js';
import { World } from './world.js';

const { signal } = new AbortController();
const amd64 = parsePlatform('linux/amd64');
const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;

describe('images from a registry into an archive', function () {
  this.timeout(60_000);
  let world: World;
  let registry: DockerRegistry;
  let scratch: string;

  before(function () {
    if (process.getuid?.() !== 0 || !hasDockerRegistry()) this.skip();
  });
  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'images-test-'));
    registry = await DockerRegistry.start();
    world = await World.open();
  });
  afterEach(async () => {
    const open = world?.refs.openHandles();
    await world?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
    if (scratch) await rm(scratch, { recursive: true });
    expect(open).to.deep.equal([]);
  });

  /** An image of one layer that holds `etc/name`. */
  async function pushBase(): Promise<string> {
    const rootfs = join(scratch, 'rootfs');
    await mkdir(join(rootfs, 'etc'), { recursive: true });
    await writeFile(join(rootfs, 'etc/name'), 'base\n');
    const tar = execFileSync('tar', ['-C', rootfs, '--sort=name', '-cf', '-', 'etc']);
    const blobs = new Map<string, Buffer>();
    const add = (mediaType: string, data: Buffer): Descriptor => {
      blobs.set(sha256(data), data);
      return { mediaType, digest: sha256(data), size: data.length };
    };
    const layer = add(`${mediaTypes.dockerLayer}.gzip`, gzipSync(tar));
    const history = [{ created: '2020-01-01T00:00:00Z', created_by: 'base' }];
    const rootfsJson = { type: 'layers', diff_ids: [sha256(tar)] };
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: rootfsJson, history }),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.dockerManifest,
        config: add(mediaTypes.dockerConfig, config),
        layers: [layer],
      }),
    );
    const name = `${registry.host}/library/base:1`;
    const repository = world.registries.repository(parseImageReference(name), {
      actions: 'push',
      sessions: group(),
    });
    const provider = {
      read: async function* ({ digest }: Descriptor) {
        yield blobs.get(digest)!;
      },
    };
    for (const [digest, data] of blobs) {
      const blob = { mediaType: '', digest: digest as Descriptor['digest'], size: data.length };
      await repository.pushBlob(blob, provider, {}, signal);
    }
    const root = { mediaType: mediaTypes.dockerManifest, digest: sha256(manifest), size: manifest.length };
    await repository.pushManifest(root, manifest, '1', signal);
    return name;
  }

  async function pull(name: string): Promise<ImmutableRef> {
    const source = new ImageSource(world.registries, world.content);
    const image = source.open({ scheme: 'docker-image', name, attrs: {}, platform: amd64 });
    const context: SourceContext = { worker: world.worker, sessions: group(), progress: silentProgress };
    await image.cacheKey(0, context, signal);
    return (await image.fetch(context, signal))!;
  }

  /** One more layer, with `etc/added`. */
  async function extend(base: ImmutableRef): Promise<ImmutableRef> {
    await using writable = await world.refs.create(base, { description: 'RUN add' }, silentProgress, signal);
    const { layers } = await writable.view(silentProgress, signal);
    await mkdir(join(layers[0]!, 'etc'));
    await writeFile(join(layers[0]!, 'etc/added'), 'added\n');
    return await writable.commit();
  }

  async function exported(
    exporter: Exporter,
    attrs: Record<string, string>,
    ref: ImmutableRef,
  ): Promise<string> {
    const { session, received } = receivingSession();
    const result: BuildResult = {
      platforms: [{ id: '', platform: amd64, ref }],
      multiPlatform: false,
      metadata: new Map(),
    };
    const context = { session: async () => session, index: 0, steps: new RecordedProgress() };
    await exporter.open(attrs).run(result, context, signal);
    const file = join(scratch, 'out.tar');
    await writeFile(file, received[0]!.data);
    return file;
  }

  it('hands a lazy base on without unpacking it', async () => {
    await using base = await pull(await pushBase());
    const archive = await exported(new ArchiveExporter(world.content, 'oci'), { name: 'x' }, base);
    expect(base.lazy).to.equal(true);
    const index = JSON.parse(execFileSync('tar', ['xOf', archive, 'index.json']).toString());
    expect(index.manifests).to.have.length(1);
  });

  for (const compression of ['gzip', 'uncompressed', 'zstd']) {
    it(`adds a layer (${compression}) that skopeo reads and umoci unpacks`, async function () {
      if (!has('skopeo')) this.skip();
      await using base = await pull(await pushBase());
      await using ref = await extend(base);
      const archive = await exported(
        new ArchiveExporter(world.content, 'oci'),
        { name: 'x/y:1', compression },
        ref,
      );
      const read = (...flags: string[]) =>
        JSON.parse(execFileSync('skopeo', ['inspect', ...flags, `oci-archive:${archive}`]).toString());
      expect(read().Layers).to.have.length(2);
      expect(read('--raw').layers.map(({ mediaType }: Descriptor) => mediaType)).to.deep.equal([
        `${mediaTypes.ociLayer}+gzip`,
        mediaTypes.ociLayer + (compression === 'uncompressed' ? '' : `+${compression}`),
      ]);
      // Old umoci knows no zstd.
      if (compression === 'zstd' || !has('umoci')) return;
      const layout = join(scratch, 'layout');
      await mkdir(layout);
      execFileSync('tar', ['xf', archive, '-C', layout]);
      execFileSync('umoci', ['unpack', '--image', `${layout}:1`, join(scratch, 'bundle')], { stdio: 'pipe' });
      const unpacked = (path: string): Promise<string> =>
        readFile(join(scratch, 'bundle/rootfs', path), 'utf8');
      expect(await unpacked('etc/name')).to.equal('base\n');
      expect(await unpacked('etc/added')).to.equal('added\n');
    });
  }

  it('gives equal bytes for equal builds under an epoch', async () => {
    const name = await pushBase();
    const attrs = { 'source-date-epoch': '1600000000', 'rewrite-timestamp': 'true' };
    const build = async (): Promise<Buffer> => {
      await using base = await pull(name);
      await using ref = await extend(base);
      return readFile(await exported(new ArchiveExporter(world.content, 'oci'), attrs, ref));
    };
    const first = await build();
    const second = await build();
    expect(first.equals(second)).to.equal(true);
  });

  it('writes the merged tree as a tar', async () => {
    await using base = await pull(await pushBase());
    await using ref = await extend(base);
    const archive = await exported(new TarExporter(world.trees, world.threads), {}, ref);
    expect(execFileSync('tar', ['tf', archive]).toString().trim().split('\n')).to.deep.equal([
      'etc/',
      'etc/added',
      'etc/name',
    ]);
  });

  it('serves an image by digest when the registry is gone', async () => {
    const name = await pushBase();
    const image = await world.registries
      .repository(parseImageReference(name), { actions: 'pull', sessions: group() })
      .resolve(signal);
    await using first = await pull(name);
    await first.view(silentProgress, signal);
    await registry[Symbol.asyncDispose]();
    await using second = await pull(`${name.replace(/:1$/, '')}@${image.digest}`);
    expect(second.id).to.equal(first.id);
    expect(second.lazy).to.equal(false);
  });

  it('keeps the bytes of a gzip layer as they came', async () => {
    await using base = await pull(await pushBase());
    const { layers, provider } = await base.layers(
      { compression: { type: 'gzip' }, mediaTypes: 'oci' },
      silentProgress,
      signal,
    );
    const chunks: Uint8Array[] = [];
    for await (const chunk of provider.read(layers[0]!.descriptor, {}, signal)) chunks.push(chunk);
    expect(sha256(gunzipSync(Buffer.concat(chunks)))).to.equal(layers[0]!.diffId);
  });
});
