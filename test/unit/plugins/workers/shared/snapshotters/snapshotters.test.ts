import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Kv } from '../../../../../../core/contracts/kv.js';
import { MemoryKv } from '../../../../../../core/kv/memory-kv.js';
import { stackOf } from '../../../../../../core/snapshot/mount-stack.js';
import { MAX_MOUNT_DATA } from '../../../../../../core/util/linux/mount.js';
import { LayerTree } from '../../../../../../core/util/tree/layer-tree.js';
import type { TreeNode } from '../../../../../../core/util/tree/tree-node.js';
import { openFuseOverlays } from '../../../../../../plugins/workers/shared/snapshotters/fuse-overlay-snapshotter.js';
import { NativeSnapshotter } from '../../../../../../plugins/workers/shared/snapshotters/native-snapshotter.js';
import type { OverlaySettings } from '../../../../../../plugins/workers/shared/snapshotters/overlay-probe.js';
import { OverlaySnapshotter } from '../../../../../../plugins/workers/shared/snapshotters/overlay-snapshotter.js';
import { snapshotterContract, topOf } from '../../../../../contract/snapshotter.js';
import { InlineThreads } from '../../../../../support/inline-threads.js';
import { makeTempDir } from '../../../../../support/trees.js';

const settings: OverlaySettings = { options: ['index=off'], opaqueName: 'user.overlay.opaque' };

describe('snapshotters', () => {
  let root: string;
  let count = 0;
  const dir = (): string => path.join(root, `${count++}`);
  const home = (at = dir(), kv: Kv = new MemoryKv()) => ({
    dir: at,
    id: 'runc',
    kv,
    threads: new InlineThreads(),
  });
  before(() => {
    root = makeTempDir();
  });
  after(() => fs.rmSync(root, { recursive: true }));

  snapshotterContract('NativeSnapshotter', () => NativeSnapshotter.open(home()));
  snapshotterContract('OverlaySnapshotter', () => OverlaySnapshotter.open(home(), settings));

  snapshotterContract('OverlaySnapshotter of fuse-overlayfs', () => openFuseOverlays(home(), settings));

  for (const [name, open] of [
    ['native', (at: ReturnType<typeof home>) => NativeSnapshotter.open(at)],
    ['overlayfs', (at: ReturnType<typeof home>) => OverlaySnapshotter.open(at, settings)],
  ] as const)
    it(`make room on a disk that is too full to write that they do (${name})`, async () => {
      const kv = new MemoryKv();
      let tree = '';
      // There is no room for a record while the snapshot is there.
      const full: Kv = {
        table: (table) => kv.table(table),
        write: async (change) => {
          if (fs.existsSync(path.join(tree, 'big'))) throw new Error('no space left on device');
          await kv.write(change);
        },
        [Symbol.asyncDispose]: () => kv[Symbol.asyncDispose](),
      };
      const layers = await open(home(dir(), full));
      await layers.prepare('w', undefined);
      tree = topOf(await layers.mounts('w'));
      fs.writeFileSync(path.join(tree, 'big'), '');
      await layers.remove('w');
      expect([fs.existsSync(tree), await layers.list()]).to.deep.equal([false, []]);
    });

  describe('NativeSnapshotter', () => {
    it('copies modes, times, links and holes of its parent, sharing no inode', async () => {
      const layers = await NativeSnapshotter.open(home());
      await layers.prepare('w', undefined);
      const from = topOf(await layers.mounts('w'));
      fs.writeFileSync(path.join(from, 'file'), 'x', { mode: 0o4750 });
      fs.chmodSync(path.join(from, 'file'), 0o4750);
      fs.linkSync(path.join(from, 'file'), path.join(from, 'linked'));
      fs.symlinkSync('file', path.join(from, 'symbolic'));
      fs.mkdirSync(path.join(from, 'dir'), { mode: 0o1777 });
      fs.utimesSync(path.join(from, 'dir'), 5, 6);
      await layers.commit('a', 'w');
      await layers.prepare('w2', 'a');
      const to = topOf(await layers.mounts('w2'));
      const stat = (at: string, name: string): fs.BigIntStats =>
        fs.lstatSync(path.join(at, name), { bigint: true });
      for (const name of ['file', 'symbolic', 'dir']) {
        expect(stat(to, name).mode, name).to.equal(stat(from, name).mode);
        expect(stat(to, name).mtimeNs, name).to.equal(stat(from, name).mtimeNs);
        expect(stat(to, name).ino, name).not.to.equal(stat(from, name).ino);
      }
      expect(stat(to, 'linked').ino).to.equal(stat(to, 'file').ino);
      expect(fs.readlinkSync(path.join(to, 'symbolic'))).to.equal('file');
    });
  });

  describe('OverlaySnapshotter', () => {
    it('removes at start what no record names, and drops records without a directory', async () => {
      const [at, kv] = [dir(), new MemoryKv()];
      const first = await OverlaySnapshotter.open(home(at, kv), settings);
      for (const key of ['a', 'lost']) {
        await first.prepare(`w-${key}`, undefined);
        await first.commit(key, `w-${key}`);
      }
      await first.prepare('onLost', 'lost');
      const kept = path.basename(path.dirname(topOf(await first.mounts('a'))));
      fs.rmSync(path.dirname(topOf(await first.mounts('lost'))), { recursive: true });
      fs.mkdirSync(path.join(at, 's', 'zz', 'fs'), { recursive: true });
      fs.mkdirSync(path.join(at, 's', 'yy~'));
      const second = await OverlaySnapshotter.open(home(at, kv), settings);
      expect((await second.list()).map(({ key }) => key)).to.deep.equal(['a']);
      expect(fs.readdirSync(path.join(at, 's'))).to.deep.equal([kept]);
    });

    it('refuses a folder whose name mount options cannot hold', async () => {
      const failures = await Promise.all(
        ['a,b', 'a:b', 'x'.repeat(200)].map((name) =>
          OverlaySnapshotter.open(home(path.join(dir(), name, name)), settings).then(
            () => 'opened',
            (error: { code: string }) => error.code,
          ),
        ),
      );
      expect(failures).to.deep.equal(['snapshot.folder', 'snapshot.folder', 'snapshot.folder']);
    });

    it('gives a child the owner and mode of its parent’s root', async () => {
      const layers = await OverlaySnapshotter.open(home(), settings);
      await layers.prepare('w', undefined);
      fs.chmodSync(topOf(await layers.mounts('w')), 0o1777);
      await layers.commit('a', 'w');
      await layers.prepare('w2', 'a');
      expect(fs.statSync(topOf(await layers.mounts('w2'))).mode & 0o7777).to.equal(0o1777);
    });

    it('keeps a chain of 1,000 layers mountable, each with its own layer on top', async () => {
      const layers = await OverlaySnapshotter.open(home(), settings);
      let parent: string | undefined;
      const model = new Map<string, string>();
      for (let at = 0; at < 1000; at++) {
        await layers.prepare('w', parent);
        const mounts = await layers.mounts('w');
        expect(mounts[0]!.options.join(',').length).to.be.below(MAX_MOUNT_DATA);
        fs.writeFileSync(path.join(topOf(mounts), `f${at % 37}`), `${at}`);
        model.set(`f${at % 37}`, `${at}`);
        parent = `c${at}`;
        await layers.commit(parent, 'w');
      }
      for (const key of ['c999', 'c500']) {
        const own = topOf(await layers.mounts(key));
        expect(fs.readdirSync(own)).to.deep.equal([`f${Number(key.slice(1)) % 37}`]);
      }
      const { layers: stack } = stackOf(await layers.mounts('c999'));
      expect(tellMerged(stack)).to.deep.equal(Object.fromEntries(model));
    }).timeout(30_000);
  });
});

/** Files of the merged view with their content. */
function tellMerged(stack: readonly string[]): Readonly<Record<string, string>> {
  const tree = new LayerTree(stack);
  const told: Record<string, string> = {};
  const walk = (dir: TreeNode, prefix: string): void => {
    for (const node of tree.children(dir)) {
      if (node.kind === 'dir') walk(node, `${prefix}${node.name}/`);
      else told[prefix + node.name] = fs.readFileSync(node.parts[0]!.host, 'utf8');
    }
  };
  walk(tree.root, '');
  return told;
}
