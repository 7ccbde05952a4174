import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect } from 'chai';
import tarStream from 'tar-stream';
import { StackDiffer } from '../../../../../core/content/layer/stack-differ.js';
import type { BlobInfo, ContentStore } from '../../../../../core/contracts/content.js';
import type { CompareOptions, LayerBlob } from '../../../../../core/contracts/differ.js';
import type { Digest } from '../../../../../core/util/digest.js';
import { setTimes } from '../../../../../core/util/linux/times.js';
import { mountsOf } from '../../../../support/dir-refs.js';
import { InlineThreads } from '../../../../support/inline-threads.js';
import { makeTempDir, makeTree, type TreeSpec, tellTree } from '../../../../support/trees.js';

const signal = new AbortController().signal;

/** Blobs as files of a folder, without any durability. */
function folderContent(dir: string): ContentStore {
  const pathOf = (digest: Digest): string => path.join(dir, digest);
  let next = 0;
  const store: Pick<ContentStore, 'info' | 'path' | 'stage'> = {
    path: pathOf,
    info: async (digest) =>
      fs.existsSync(pathOf(digest))
        ? ({ digest, size: fs.statSync(pathOf(digest)).size, createdAt: 0, labels: {} } satisfies BlobInfo)
        : undefined,
    stage: async () => {
      const staged = path.join(dir, `stage${next++}`);
      fs.writeFileSync(staged, '');
      return {
        path: staged,
        commit: async ({ digest }) => fs.renameSync(staged, pathOf(digest)),
        [Symbol.asyncDispose]: async () => fs.rmSync(staged, { force: true }),
      };
    },
  };
  return store as ContentStore;
}

describe('StackDiffer', () => {
  let temp: string;
  let content: ContentStore;
  let threads: InlineThreads;
  let differ: StackDiffer;
  let dirs = 0;

  beforeEach(() => {
    temp = makeTempDir();
    const blobs = path.join(temp, 'blobs');
    fs.mkdirSync(blobs);
    content = folderContent(blobs);
    threads = new InlineThreads();
    differ = new StackDiffer({ content, threads });
  });
  afterEach(() => fs.rmSync(temp, { recursive: true, force: true }));

  const tree = (spec: TreeSpec): string => makeTree(path.join(temp, `dir${dirs++}`), spec);
  const compare = (
    lower: readonly string[],
    upper: readonly string[],
    more: Partial<CompareOptions> = {},
  ): Promise<LayerBlob> =>
    differ.compare(mountsOf(lower), mountsOf(upper), {
      compression: { type: 'uncompressed' },
      mediaTypes: 'oci',
      signal,
      ...more,
    });
  const bytesOf = (blob: LayerBlob): Buffer => fs.readFileSync(content.path(blob.descriptor.digest));
  const listing = async (blob: LayerBlob): Promise<readonly string[]> => {
    const extract = tarStream.extract();
    extract.end(bytesOf(blob));
    const found: string[] = [];
    for await (const entry of extract) {
      const { name, type, linkname } = entry.header;
      found.push(`${type} ${name}${linkname ? ` -> ${linkname}` : ''}`);
      entry.resume();
    }
    return found;
  };
  const noise = (size: number): string =>
    createHash('shake256', { outputLength: size / 2 })
      .update('noise')
      .digest('hex');

  describe('compare', () => {
    it('lists a first layer in walk order, directories with a slash, siblings by their bytes', async () => {
      const top = tree({ 'b-x': 'x', b: { z: 'z', a: { link: '../x' } }, a: 'a' });
      expect(await listing(await compare([], [top]))).to.deep.equal([
        'file a',
        'directory b/',
        'symlink b/a -> ../x',
        'file b/z',
        'file b-x',
      ]);
    });

    it('brings the parents of a change, but nothing else that is the same below', async () => {
      const base = tree({ d: { e: { old: '' } }, same: 'same' });
      const top = tree({ d: { e: { new: '' } }, same: 'same' });
      const mtime = 1_000_000_001n;
      for (const dir of [base, top]) setTimes(path.join(dir, 'same'), mtime, mtime);
      expect(await listing(await compare([base], [top, base]))).to.deep.equal([
        'directory d/',
        'directory d/e/',
        'file d/e/new',
      ]);
    });

    it('finds deletions and replacements by walking two unrelated trees', async () => {
      const before = tree({ gone: { x: '' }, kind: 'file', kept: 'k', changed: 'a' });
      const after = tree({ kind: { y: '' }, kept: 'k', changed: 'bb' });
      for (const dir of [before, after]) setTimes(path.join(dir, 'kept'), 5n, 5n);
      expect(await listing(await compare([before], [after]))).to.deep.equal([
        'file changed',
        'file .wh.gone',
        'directory kind/',
        'file kind/y',
      ]);
    });

    it('compares contents when times have no fraction', async () => {
      const [before, after] = [tree({ a: 'one', b: 'same' }), tree({ a: 'two', b: 'same' })];
      for (const name of ['a', 'b'])
        for (const dir of [before, after]) setTimes(path.join(dir, name), 0n, 0n);
      expect(await listing(await compare([before], [after]))).to.deep.equal(['file a']);
    });

    it('writes hard links of one layer as links, and links to other layers as files', async () => {
      const other = tree({ shared: 'shared' });
      const top = tree({ a: 'a', b: { same: 'a' } });
      fs.linkSync(path.join(other, 'shared'), path.join(top, 'c'));
      expect(await listing(await compare([], [top]))).to.deep.equal(['file a', 'link b -> a', 'file c']);
    });

    it('says what a layer brings, by its blob alone', async () => {
      const base = tree({ d: { old: '' } });
      const top = tree({ d: { new: '' } });
      for (const type of ['uncompressed', 'gzip', 'zstd', 'estargz'] as const) {
        const { descriptor } = await compare([base], [top], { compression: { type } });
        expect(await differ.names(descriptor, signal)).to.deep.equal(['d/', 'd/new', 'd/.wh.old']);
      }
    });

    it('clamps times to SOURCE_DATE_EPOCH', async () => {
      const top = tree({ new: '', old: '' });
      setTimes(path.join(top, 'old'), 5_000_000_000n, 5_900_000_000n);
      const blob = await compare([], [top], { sourceDateEpoch: 1000 });
      const times = [0, 1].map((at) =>
        Number.parseInt(bytesOf(blob).toString('latin1', at * 512 + 136, at * 512 + 147), 8),
      );
      expect(times).to.deep.equal([1000, 5]);
      expect(blob.descriptor.annotations).to.deep.equal({ 'buildkit/rewritten-timestamp': '1000' });
    });

    it('does not depend on the order on disk or on inodes', async () => {
      const names = Array.from({ length: 40 }, (_, at) => `file${at}`);
      const make = (order: readonly string[]): string => {
        const dir = tree(Object.fromEntries(order.map((name) => [name, name.repeat(100)])));
        for (const name of order) setTimes(path.join(dir, name), 0n, 0n);
        return dir;
      };
      const one = await compare([], [make(names)]);
      const two = await compare([], [make(names.toReversed())]);
      expect(one.diffId).to.equal(two.diffId);
    });

    it('makes one gzip stream from blocks of several threads', async () => {
      const top = tree({ big: noise(5 << 20), text: 'text '.repeat(400_000) });
      const plain = await compare([], [top]);
      const packed = await compare([], [top], { compression: { type: 'gzip' } });
      expect(threads.ran).to.include('layer-block');
      expect(zlib.gunzipSync(bytesOf(packed)).equals(bytesOf(plain))).to.equal(true);
      expect(packed.diffId).to.equal(plain.descriptor.digest);
      expect(packed.descriptor.mediaType).to.equal('application/vnd.oci.image.layer.v1.tar+gzip');
      expect([...bytesOf(packed).subarray(0, 10)]).to.deep.equal([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    });

    it('repacks a layer without touching the tar inside', async () => {
      const plain = await compare([], [tree({ f: noise(2 << 20) })]);
      const repack = (blob: LayerBlob, type: 'gzip' | 'zstd' | 'uncompressed'): Promise<LayerBlob> =>
        differ.recompress(blob.descriptor, { compression: { type }, mediaTypes: 'docker', signal });
      const gzip = await repack(plain, 'gzip');
      const zstd = await repack(gzip, 'zstd');
      expect(await repack(zstd, 'uncompressed')).to.deep.equal({
        descriptor: { ...plain.descriptor, mediaType: 'application/vnd.docker.image.rootfs.diff.tar' },
        diffId: plain.diffId,
      });
      expect([gzip.diffId, zstd.diffId]).to.deep.equal([plain.diffId, plain.diffId]);
    });

    it('makes estargz of a tree, and nothing else of it', async () => {
      const plain = await compare([], [tree({ f: 'f', d: { g: 'g' } })]);
      const packed = await compare([], [tree({ f: 'f', d: { g: 'g' } })], {
        compression: { type: 'estargz' },
      });
      expect(packed.descriptor.mediaType).to.equal('application/vnd.oci.image.layer.v1.tar+gzip');
      expect(packed.descriptor.annotations).to.have.property('containerd.io/snapshot/stargz/toc.digest');
      const target = tree({});
      const { diffId } = await differ.apply(packed.descriptor, mountsOf([target]), { signal });
      expect(diffId).to.equal(packed.diffId).and.not.equal(plain.diffId);
      expect(Object.keys(tellTree(target))).to.deep.equal(
        Object.keys(tellTree(tree({ f: 'f', d: { g: 'g' } }))),
      );
    });
  });

  describe('apply', () => {
    for (const type of ['uncompressed', 'gzip', 'zstd'] as const) {
      it(`unpacks what compare packed with ${type}`, async () => {
        const top = tree({ d: { f: 'f', l: { link: 'f' } }, h: { same: 'd/f' }, big: noise(3 << 20) });
        setTimes(path.join(top, 'd'), 0n, 7_000_000_000n);
        const blob = await compare([], [top], { compression: { type } });
        const target = tree({});
        const { diffId } = await differ.apply(blob.descriptor, mountsOf([target]), { signal });
        expect(diffId).to.equal(blob.diffId);
        expect(tellTree(target)).to.deep.equal(tellTree(top));
        expect(fs.statSync(path.join(target, 'h')).ino).to.equal(fs.statSync(path.join(target, 'd/f')).ino);
        expect(fs.statSync(path.join(target, 'd')).mtimeMs).to.equal(7000);
      });
    }

    const applyTar = async (
      entries: readonly (Partial<tarStream.Header> & { readonly content?: string })[],
      layers: readonly string[],
    ): Promise<void> => {
      const pack = tarStream.pack();
      const { uid, gid } = fs.statSync(temp);
      for (const { content: text, ...header } of entries)
        pack.entry({ name: '', uid, gid, ...header }, text ?? '');
      pack.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of pack) chunks.push(chunk as Buffer);
      const data = Buffer.concat(chunks);
      const digest: Digest = `sha256:${createHash('sha256').update(data).digest('hex')}`;
      fs.writeFileSync(content.path(digest), data);
      const mediaType = 'application/vnd.docker.image.rootfs.diff.tar';
      await differ.apply({ mediaType, digest, size: data.length }, mountsOf(layers), { signal });
    };

    it('deletes right away where nothing is below', async () => {
      const target = tree({ a: 'a', d: { old: '', new: '' }, keep: '' });
      await applyTar(
        [{ name: '.wh.a' }, { name: 'd/new', content: 'n' }, { name: 'd/.wh..wh..opq' }],
        [target],
      );
      expect(tellTree(target)).to.deep.equal({ d: 'dir', 'd/new': 'n', keep: '' });
    });

    it('never writes through a link that leads out of the layer', async () => {
      const outside = tree({ victim: 'safe' });
      const target = tree({});
      await applyTar(
        [
          { name: 'l', type: 'symlink', linkname: outside },
          { name: 'l/victim', content: 'attacked' },
          { name: '../../up', content: 'x' },
        ],
        [target],
      );
      expect(tellTree(outside)).to.deep.equal({ victim: 'safe' });
      expect(fs.readFileSync(path.join(target, outside, 'victim'), 'utf8')).to.equal('attacked');
      expect(fs.readFileSync(path.join(target, 'up'), 'utf8')).to.equal('x');
    });

    it('replaces files by directories and the other way round, and merges directories', async () => {
      const target = tree({ a: 'file', b: { x: '' }, c: { old: '' } });
      await applyTar(
        [
          { name: 'a/', type: 'directory' },
          { name: 'b', content: 'b' },
          { name: 'c/', type: 'directory' },
          { name: 'c/new', content: '' },
        ],
        [target],
      );
      expect(tellTree(target)).to.deep.equal({ a: 'dir', b: 'b', c: 'dir', 'c/new': '', 'c/old': '' });
    });

    it('refuses a hard link to what is not there, and names the layer', async () => {
      const error = await applyTar([{ name: 'h', type: 'link', linkname: 'none' }], [tree({})]).then(
        () => expect.fail('did not fail'),
        (thrown) => thrown as Error,
      );
      expect(error.message).to.match(
        /^cannot unpack layer sha256:.*h is a hard link to none, which is not there$/,
      );
    });
  });
});
