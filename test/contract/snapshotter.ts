import fs from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import type { Mount } from '../../core/contracts/mount.js';
import type { Snapshotter } from '../../core/contracts/snapshotter.js';

const never = new AbortController().signal;

/** The directory that a snapshot's mounts let one write, or its topmost one. */
export function topOf(mounts: readonly Mount[]): string {
  const [mount] = mounts;
  if (mount!.type === 'bind') return mount!.source;
  const option = (name: string): string | undefined =>
    mount!.options.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  return option('upperdir') ?? option('lowerdir')!.split(':')[0]!;
}

const isWritable = (mounts: readonly Mount[]): boolean =>
  mounts.every(({ type, options }) =>
    type === 'bind' ? !options.includes('ro') : options.some((text) => text.startsWith('upperdir=')),
  );

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { code?: string }) => String(error.code),
  );

/** What every {@link Snapshotter} of this machine promises. `make` answers an empty one. */
export function snapshotterContract(name: string, make: () => Promise<Snapshotter>): void {
  describe(`${name} keeps the Snapshotter contract`, () => {
    let layers: Snapshotter;
    beforeEach(async () => {
      layers = await make();
    });

    /** A committed snapshot with one file more. */
    const layer = async (key: string, parent: string | undefined, file = key): Promise<void> => {
      await layers.prepare(`w-${key}`, parent);
      await fs.writeFile(path.join(topOf(await layers.mounts(`w-${key}`)), file), key);
      await layers.commit(key, `w-${key}`);
    };

    it('starts empty, writable, and is read-only once committed', async () => {
      await layers.prepare('w', undefined);
      const mounts = await layers.mounts('w');
      expect(await fs.readdir(topOf(mounts))).to.deep.equal([]);
      expect(isWritable(mounts)).to.equal(true);
      await layers.commit('c', 'w');
      expect(isWritable(await layers.mounts('c'))).to.equal(false);
      expect(await layers.list()).to.deep.equal([{ key: 'c', kind: 'committed', parent: undefined }]);
    });

    it('keeps what was written', async () => {
      await layer('a', undefined);
      expect(await fs.readFile(path.join(topOf(await layers.mounts('a')), 'a'), 'utf8')).to.equal('a');
    });

    it('keeps a parent as it is when a child is written', async () => {
      await layer('a', undefined, 'file');
      await layers.prepare('w', 'a');
      await fs.writeFile(path.join(topOf(await layers.mounts('w')), 'file'), 'changed');
      expect(await fs.readFile(path.join(topOf(await layers.mounts('a')), 'file'), 'utf8')).to.equal('a');
    });

    it('tells kind and parent', async () => {
      await layer('a', undefined);
      await layers.prepare('w', 'a');
      expect(await layers.stat('w')).to.deep.equal({ key: 'w', kind: 'active', parent: 'a' });
      expect(await layers.stat('none')).to.equal(undefined);
    });

    it('takes every call twice', async () => {
      await layer('a', undefined);
      await layers.prepare('w', 'a');
      await layers.prepare('w', 'a');
      await layers.commit('b', 'w');
      await layers.commit('b', 'w');
      await layers.remove('b');
      await layers.remove('b');
      expect((await layers.list()).map(({ key }) => key)).to.deep.equal(['a']);
    });

    it('takes the same call twice at the same time', async () => {
      await Promise.all([layers.prepare('w', undefined), layers.prepare('w', undefined)]);
      await Promise.all([layers.commit('a', 'w'), layers.commit('a', 'w')]);
      await Promise.all([layers.remove('a'), layers.remove('a')]);
      expect(await layers.list()).to.deep.equal([]);
    });

    it('refuses what does not fit', async () => {
      await layer('a', undefined);
      await layer('b', 'a');
      await layers.prepare('w', undefined);
      expect(await codeOf(layers.prepare('x', 'none'))).to.equal('snapshot.not-found');
      expect(await codeOf(layers.prepare('x', 'w'))).to.equal('snapshot.wrong-kind');
      expect(await codeOf(layers.prepare('w', 'a'))).to.equal('snapshot.exists');
      expect(await codeOf(layers.prepare('a', undefined))).to.equal('snapshot.exists');
      expect(await codeOf(layers.commit('a', 'w'))).to.equal('snapshot.exists');
      expect(await codeOf(layers.commit('x', 'none'))).to.equal('snapshot.not-found');
      expect(await codeOf(layers.mounts('none'))).to.equal('snapshot.not-found');
      expect(await codeOf(layers.remove('a'))).to.equal('snapshot.has-children');
    });

    it('measures the layer of its own', async () => {
      await layers.prepare('w', undefined);
      const top = topOf(await layers.mounts('w'));
      await fs.writeFile(path.join(top, 'big'), Buffer.alloc(100_000, 1));
      await fs.link(path.join(top, 'big'), path.join(top, 'same'));
      const { bytes, inodes } = await layers.usage('w', never);
      expect(inodes).to.equal(2);
      expect(bytes).to.be.within(100_000, 130_000);
    });

    it('removes a tree that has directories without permissions', async () => {
      await layers.prepare('w', undefined);
      const closed = path.join(topOf(await layers.mounts('w')), 'closed');
      await fs.mkdir(path.join(closed, 'inner'), { recursive: true });
      await fs.chmod(closed, 0);
      await layers.remove('w');
      expect(await codeOf(fs.stat(closed))).to.equal('ENOENT');
    });
  });
}
