/** What attributes of exported caches do to what is written. */
import { expect } from 'chai';
import { isLayerType, mediaTypes } from '../../../core/util/media-types.js';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import type { Finished } from '../support/processes.js';

interface Layer {
  readonly mediaType: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Written {
  readonly mediaType: string;
  readonly layers: readonly Layer[];
}

overWorkers('the form of an exported cache', function (worker) {
  this.timeout(120_000);
  let ground: Ground;
  let daemon: DaemonProcess;
  let folder: string;
  before(async () => {
    ground = await Ground.open('cache-forms', worker);
    daemon = await ground.daemon('daemon', {
      config: `[registry."${ground.registry.address}"]\nhttp = true\n`,
    });
    const text = Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join('');
    const Dockerfile = `FROM ${ground.base}\nCOPY text /text\nRUN cat /text /text > /twice\n`;
    folder = await ground.write('context', { Dockerfile, text });
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const build = (spec: string): Promise<Finished> =>
    daemon.buildctl(buildArgs({ folder, args: ['--export-cache', spec] }));

  let tags = 0;
  /** Exports with these attributes, and reads the manifest. */
  async function written(attrs: string): Promise<Written> {
    const tag = `t${tags++}`;
    const ref = `${ground.registry.address}/forms:${tag}`;
    const { code, stderr } = await build(`type=registry,ref=${ref},mode=max${attrs && `,${attrs}`}`);
    expect(code, stderr).to.equal(0);
    const accept = [mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.dockerList].join(', ');
    const answer = await fetch(`http://${ground.registry.address}/v2/forms/manifests/${tag}`, {
      headers: { accept },
    });
    const manifest = (await answer.json()) as Written & { readonly manifests?: Written['layers'] };
    const listed = manifest.layers ?? manifest.manifests ?? [];
    return {
      mediaType: manifest.mediaType,
      layers: listed.filter(({ mediaType }) => isLayerType(mediaType)),
    };
  }
  const typesOf = ({ layers }: Written): readonly string[] =>
    [...new Set(layers.map(({ mediaType }) => mediaType))].sort();
  const sizeOf = ({ layers }: Written): number => layers.reduce((sum, { size }) => sum + size, 0);

  for (const [attrs, type, layer] of [
    ['', mediaTypes.ociManifest, `${mediaTypes.ociLayer}+gzip`],
    ['image-manifest=false', mediaTypes.ociIndex, `${mediaTypes.ociLayer}+gzip`],
    ['oci-mediatypes=false', mediaTypes.dockerList, 'application/vnd.docker.image.rootfs.diff.tar.gzip'],
  ] as const) {
    it(`is ${type} with ${attrs || 'nothing said'}`, async () => {
      const cache = await written(attrs);
      expect([cache.mediaType, typesOf(cache)]).to.deep.equal([type, [layer]]);
    });
  }

  it('has new layers in the compression that is asked for, and all of them when it is forced', async () => {
    const fresh = await ground.daemon('fresh', {
      config: `[registry."${ground.registry.address}"]\nhttp = true\n`,
    });
    const before = daemon;
    daemon = fresh;
    try {
      // The base is gzip, and stays so.
      expect(typesOf(await written('compression=zstd'))).to.deep.equal([
        `${mediaTypes.ociLayer}+gzip`,
        `${mediaTypes.ociLayer}+zstd`,
      ]);
      const forced = await written('compression=zstd,force-compression=true');
      expect(typesOf(forced)).to.deep.equal([`${mediaTypes.ociLayer}+zstd`]);
      const plain = await written('compression=uncompressed,force-compression=true');
      expect(typesOf(plain)).to.deep.equal([mediaTypes.ociLayer]);
      expect(sizeOf(plain)).to.be.greaterThan(sizeOf(forced));
    } finally {
      daemon = before;
      await fresh[Symbol.asyncDispose]();
    }
  });

  it('has layers with tables of their contents as estargz', async () => {
    const cache = await written('compression=estargz,force-compression=true');
    expect(typesOf(cache)).to.deep.equal([`${mediaTypes.ociLayer}+gzip`]);
    for (const { annotations = {} } of cache.layers)
      expect(annotations['containerd.io/snapshot/stargz/toc.digest']).to.match(/^sha256:/);
  });

  it('is as small as its level makes it', async () => {
    const level = (number: number): Promise<Written> =>
      written(`compression=zstd,compression-level=${number},force-compression=true`);
    expect(sizeOf(await level(19))).to.be.lessThan(sizeOf(await level(1)));
  });

  it('is refused where attributes contradict each other', async () => {
    const ref = `${ground.registry.address}/forms:never`;
    const refused = await build(`type=registry,ref=${ref},oci-mediatypes=false,image-manifest=true`);
    expect([refused.code, /OCI mediatypes are required/.test(refused.stderr)]).to.deep.equal([1, true]);
    const level = await build(`type=registry,ref=${ref},compression=gzip,compression-level=22`);
    expect([level.code, /expected 0 to 9/.test(level.stderr)]).to.deep.equal([1, true]);
  });
});
