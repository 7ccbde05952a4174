import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LayoutIndex } from '../../../../client/session/layout-index.js';
import { LayoutStore } from '../../../../client/session/layout-store.js';
import { sweepLayout } from '../../../../client/session/layout-sweep.js';
import { type Digest, hexOf, sha256 } from '../../../../core/util/digest.js';
import { mediaTypes } from '../../../../core/util/media-types.js';

const { signal } = new AbortController();

describe('sweeping a layout', () => {
  let dir: string;
  let store: LayoutStore;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'layout-sweep-'));
    store = new LayoutStore(dir, { writable: true });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function put(content: string | object) {
    const data = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    const digest = sha256(data);
    async function* bytes(): AsyncIterable<Uint8Array> {
      yield data;
    }
    await store.write({ digest, size: data.length }, bytes(), signal);
    return { mediaType: mediaTypes.ociLayer, digest, size: data.length };
  }
  const putManifest = async (members: object, mediaType: string = mediaTypes.ociManifest) => ({
    ...(await put({ schemaVersion: 2, mediaType, ...members })),
    mediaType,
  });
  const blobs = async (): Promise<string[]> => (await readdir(join(dir, 'blobs/sha256'))).sort();
  const hexes = (...kept: readonly { readonly digest: Digest }[]): string[] =>
    kept.map(({ digest }) => hexOf(digest)).sort();

  it('keeps what manifests of any tag lead to, and nothing else', async () => {
    const [config, layer, shared, old] = await Promise.all(['config', 'layer', 'shared', 'old'].map(put));
    const first = await putManifest({ config, layers: [layer, shared] });
    const second = await putManifest({ config, layers: [shared] });
    const before = await putManifest({ config, layers: [old] });
    const index = new LayoutIndex(dir);
    await index.put(before, 'a');
    await index.put(first, 'a');
    await index.put(second, 'b');
    expect(await sweepLayout(dir, signal)).to.have.members([before.digest, old!.digest]);
    expect(await blobs()).to.deep.equal(hexes(config!, layer!, shared!, first, second));
  });

  it('goes into indexes, and knows those of caches, which list layers', async () => {
    const [config, layer, other] = await Promise.all(['config', 'layer', 'other'].map(put));
    const image = await putManifest({ config, layers: [layer] });
    const images = await putManifest({ manifests: [image] }, mediaTypes.ociIndex);
    const cache = await putManifest(
      { manifests: [other, { ...config, mediaType: 'cacheconfig' }] },
      mediaTypes.ociIndex,
    );
    const index = new LayoutIndex(dir);
    await index.put(images, 'images');
    await index.put(cache, 'cache');
    await put('nobody’s');
    await sweepLayout(dir, signal);
    expect(await blobs()).to.deep.equal(hexes(config!, layer!, other!, image, images, cache));
  });

  it('removes nothing when it cannot know what is needed', async () => {
    const layer = await put('layer');
    const lost = { mediaType: mediaTypes.ociManifest, digest: sha256('lost'), size: 4 };
    await new LayoutIndex(dir).put(lost, 'a');
    const error = await sweepLayout(dir, signal).then(
      () => expect.fail('it succeeded'),
      (reason: Error) => reason,
    );
    expect(error.message).to.contain(lost.digest).and.contain('not found');
    expect(await blobs()).to.deep.equal(hexes(layer));
  });

  it('leaves files alone that somebody is writing', async () => {
    const config = await put('config');
    await new LayoutIndex(dir).put(await putManifest({ config, layers: [] }), 'a');
    await writeFile(join(dir, 'blobs/sha256/.x8f2'), 'half a blob');
    await sweepLayout(dir, signal);
    expect(await blobs()).to.include('.x8f2');
  });
});
