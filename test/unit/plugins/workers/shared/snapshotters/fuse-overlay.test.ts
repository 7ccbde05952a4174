import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Snapshotter } from '../../../../../../core/contracts/snapshotter.js';
import { MemoryKv } from '../../../../../../core/kv/memory-kv.js';
import { makeWhiteout } from '../../../../../../core/util/linux/nodes.js';
import { isOpaque } from '../../../../../../core/util/tree/tree-node.js';
import {
  chooseSnapshotter,
  type SnapshotterChoice,
  type SnapshotterProbes,
} from '../../../../../../plugins/workers/shared/snapshotters/choose-snapshotter.js';
import { openFuseOverlays } from '../../../../../../plugins/workers/shared/snapshotters/fuse-overlay-snapshotter.js';
import { topOf } from '../../../../../contract/snapshotter.js';
import { InlineThreads } from '../../../../../support/inline-threads.js';
import { makeTempDir } from '../../../../../support/trees.js';

const opaqueName = 'user.overlay.opaque';

describe('OverlaySnapshotter of fuse-overlayfs', () => {
  let root: string;
  let threads: InlineThreads;
  beforeEach(() => {
    root = makeTempDir();
    threads = new InlineThreads();
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));
  const home = () => ({ dir: root, id: 'runc', kv: new MemoryKv(), threads });

  /** An active snapshot on another one, and its writable directory. */
  async function open(): Promise<{ layers: Snapshotter; top: string }> {
    const layers = await openFuseOverlays(home(), { opaqueName });
    await layers.prepare('w', undefined);
    await layers.commit('base', 'w');
    await layers.prepare('step', 'base');
    return { layers, top: topOf(await layers.mounts('step')) };
  }
  const mounted = (top: string): void => fs.mkdirSync(path.join(path.dirname(top), 'work/work'));

  it('puts what the program wrote into the terms of overlayfs when it commits', async () => {
    const { layers, top } = await open();
    mounted(top);
    const dir = path.join(top, 'a/dir');
    fs.mkdirSync(dir, { recursive: true });
    for (const name of ['.wh..wh..opq', '.wh.gone', 'kept']) fs.writeFileSync(path.join(dir, name), '');
    makeWhiteout(path.join(dir, '.wh..opq'));
    fs.utimesSync(dir, 5, 6);
    await layers.commit('done', 'step');
    expect(fs.readdirSync(dir).sort()).to.deep.equal(['gone', 'kept']);
    expect(fs.lstatSync(path.join(dir, 'gone')).isCharacterDevice()).to.equal(true);
    expect(isOpaque(dir)).to.equal(true);
    expect(isOpaque(path.dirname(dir))).to.equal(false);
    expect(fs.statSync(dir).mtimeMs).to.equal(6000);
  });

  it('finds marks under names that are no text', async () => {
    const { layers, top } = await open();
    mounted(top);
    const dir = Buffer.concat([Buffer.from(`${top}/`), Buffer.from([0xff, 0xfe])]);
    fs.mkdirSync(dir);
    fs.writeFileSync(Buffer.concat([dir, Buffer.from('/.wh..wh..opq')]), '');
    fs.writeFileSync(Buffer.concat([dir, Buffer.from('/.wh.'), Buffer.from([0xfd])]), '');
    await layers.commit('done', 'step');
    expect(fs.readdirSync(dir, { encoding: 'buffer' })).to.deep.equal([Buffer.from([0xfd])]);
  });

  it('does not look through layers that were never mounted', async () => {
    const { layers } = await open();
    await layers.commit('done', 'step');
    expect(threads.ran).to.deep.equal([]);
  });

  it('commits twice at the same time', async () => {
    const { layers, top } = await open();
    mounted(top);
    fs.writeFileSync(path.join(top, '.wh..wh..opq'), '');
    await Promise.all([layers.commit('done', 'step'), layers.commit('done', 'step')]);
    expect((await layers.stat('done'))?.kind).to.equal('committed');
  });

  describe('is chosen', () => {
    const probes = (overlay: boolean, fuse: boolean): SnapshotterProbes => ({
      overlay: async () =>
        overlay
          ? { works: true, settings: { options: [], opaqueName } }
          : { works: false, why: 'no overlay' },
      fuse: async () => (fuse ? { works: true, opaqueName } : { works: false, why: 'no fuse' }),
    });
    const chosen = async (choice: SnapshotterChoice, overlay: boolean, fuse: boolean): Promise<string> =>
      (await chooseSnapshotter(home(), choice, probes(overlay, fuse))).name;

    it('after overlayfs and before whole copies', async () => {
      expect(await chosen('auto', true, true)).to.equal('overlayfs');
      expect(await chosen('auto', false, true)).to.equal('fuse-overlayfs');
      expect(await chosen('auto', false, false)).to.equal('native');
    });

    it('by name, or refused with the reason', async () => {
      expect(await chosen('fuse-overlayfs', true, true)).to.equal('fuse-overlayfs');
      const refused = await chosen('fuse-overlayfs', true, false).catch((error: unknown) => error);
      expect(refused).to.deep.include({ code: 'snapshot.no-fuse-overlayfs' });
      expect(String(refused)).to.match(/fuse-overlayfs does not work in .*: no fuse/);
    });
  });
});
