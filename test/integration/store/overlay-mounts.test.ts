import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { mount, parseMountOptions, unmount } from '../../../core/util/linux/mount.js';
import { chooseSnapshotter } from '../../../plugins/workers/shared/snapshotters/choose-snapshotter.js';
import { makeTempDir } from '../../support/trees.js';

const LAYERS = 600;

/** Needs root: it mounts what the snapshotter describes and lets the kernel make the changes. */
describe('overlay snapshots under real mounts', function () {
  this.timeout(60_000);
  let dir: string;
  const threads = new ThreadPool();
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    dir = makeTempDir();
  });
  after(async () => {
    await threads[Symbol.asyncDispose]();
    if (dir) fs.rmSync(dir, { recursive: true });
  });

  it(`show what was done to them, over ${LAYERS} layers of changes`, async () => {
    const at = path.join(dir, 'mnt');
    fs.mkdirSync(at);
    const layers = await chooseSnapshotter({ dir, id: 'runc', kv: new MemoryKv(), threads });
    expect(layers.name).to.equal('overlayfs');
    const mounted = async <T>(key: string, work: () => T): Promise<T> => {
      const [{ type, source, options }] = (await layers.mounts(key)) as [Parameters<typeof parse>[0]];
      const { flags, data } = parse({ type, source, options });
      mount(source, at, type === 'bind' ? '' : type, flags, data);
      try {
        return work();
      } finally {
        unmount(at);
      }
    };
    const model = new Map<string, string>();
    let parent: string | undefined;
    for (let layer = 0; layer < LAYERS; layer++) {
      await layers.prepare('w', parent);
      await mounted('w', () => {
        for (let change = 0; change < 3; change++) changeSomething(at, model, `${layer}.${change}`);
      });
      await layers.commit(`c${layer}`, 'w');
      parent = `c${layer}`;
      if (layer % 50 === 0 || layer === LAYERS - 1) {
        expect(await mounted(parent, () => tell(at))).to.deep.equal(Object.fromEntries([...model].sort()));
      }
    }
  });
});

const parse = ({ options }: { type: string; source: string; options: readonly string[] }) =>
  parseMountOptions(options);

const random = (below: number): number => Math.floor(Math.random() * below);

/** Files `d0/f1`, sometimes removed, sometimes with the directory replaced by a file and back. */
function changeSomething(root: string, model: Map<string, string>, text: string): void {
  const dir = `d${random(4)}`;
  const file = `${dir}/f${random(6)}`;
  const roll = random(8);
  if (roll === 0) removeBelow(root, model, dir);
  else if (roll === 1 && model.has(file)) removeBelow(root, model, file);
  else if (roll === 2) {
    removeBelow(root, model, dir);
    fs.writeFileSync(path.join(root, dir), text);
    model.set(dir, text);
  } else {
    if (model.has(dir)) removeBelow(root, model, dir);
    fs.mkdirSync(path.join(root, dir), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
    model.set(file, text);
  }
}

function removeBelow(root: string, model: Map<string, string>, name: string): void {
  fs.rmSync(path.join(root, name), { recursive: true, force: true });
  for (const key of [...model.keys()]) if (key === name || key.startsWith(`${name}/`)) model.delete(key);
}

/** Files with their texts; a whiteout that shows would make an entry `special`. */
function tell(root: string, prefix = ''): Readonly<Record<string, string>> {
  const told: Record<string, string> = {};
  const entries = fs.readdirSync(path.join(root, prefix), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) Object.assign(told, tell(root, `${name}/`));
    else told[name] = entry.isFile() ? fs.readFileSync(path.join(root, name), 'utf8') : 'special';
  }
  return told;
}
