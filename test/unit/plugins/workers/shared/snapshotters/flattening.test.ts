import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { makeWhiteout } from '../../../../../../core/util/linux/nodes.js';
import { setXattr } from '../../../../../../core/util/linux/xattr.js';
import { LayerTree } from '../../../../../../core/util/tree/layer-tree.js';
import type { TreeNode } from '../../../../../../core/util/tree/tree-node.js';
import { windowToFlatten } from '../../../../../../plugins/workers/shared/snapshotters/flattening-plan.js';
import flatten from '../../../../../../plugins/workers/shared/snapshotters/snapshot-flatten.task.js';
import { makeTempDir, tellTree } from '../../../../../support/trees.js';

const context = { throwIfAborted() {}, report() {}, ask: async () => undefined };
const opaqueName = 'user.overlay.opaque';

/** A layer as a list of what it has: `file:d/x`, `dir:d`, `opaque:d`, `gone:d/x`. */
type Layer = readonly string[];

function writeLayer(dir: string, layer: Layer, label: string): string {
  fs.mkdirSync(dir, { recursive: true });
  for (const entry of layer) {
    const [what, name] = entry.split(':') as [string, string];
    const at = path.join(dir, name);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    if (fs.existsSync(at)) continue;
    if (what === 'file') fs.writeFileSync(at, `${label}:${name}`);
    else if (what === 'gone') makeWhiteout(at);
    else fs.mkdirSync(at);
    if (what === 'opaque') setXattr(at, opaqueName, Buffer.from('y'));
  }
  return dir;
}

function tellMerged(layers: readonly string[]): Readonly<Record<string, string>> {
  const tree = new LayerTree(layers);
  const told: Record<string, string> = {};
  const walk = (dir: TreeNode, prefix: string): void => {
    for (const node of tree.children(dir)) {
      const name = prefix + node.name;
      told[name] = node.kind === 'dir' ? 'dir' : fs.readFileSync(node.parts[0]!.host, 'utf8');
      if (node.kind === 'dir') walk(node, `${name}/`);
    }
  };
  walk(tree.root, '');
  return told;
}

describe('flattening', () => {
  let root: string;
  let count = 0;
  before(() => {
    root = makeTempDir();
  });
  after(function () {
    this.timeout(60_000);
    fs.rmSync(root, { recursive: true });
  });

  /** The stack before, and with `[start, end)` flattened; topmost first. */
  function flattened(
    stack: readonly Layer[],
    start: number,
    end: number,
  ): { before: string[]; after: string[] } {
    const home = path.join(root, `${count++}`);
    const dirs = stack.map((layer, at) => writeLayer(path.join(home, `${at}`), layer, `${at}`));
    const target = path.join(home, 'flat');
    fs.mkdirSync(target);
    flatten({ layers: dirs.slice(start, end), below: dirs.slice(end), target, opaqueName }, context);
    return { before: dirs, after: [...dirs.slice(0, start), target, ...dirs.slice(end)] };
  }

  it('makes no hard link of two copies of one file', () => {
    const home = path.join(root, `${count++}`);
    const [upper, lower, target] = ['upper', 'lower', 'flat'].map((name) => path.join(home, name));
    for (const dir of [upper!, lower!, target!]) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(lower!, 'a'), 'text');
    fs.linkSync(path.join(lower!, 'a'), path.join(lower!, 'linked'));
    fs.linkSync(path.join(lower!, 'a'), path.join(upper!, 'copy'));
    flatten({ layers: [upper!, lower!], below: [], target: target!, opaqueName }, context);
    const inode = (name: string): number => fs.statSync(path.join(target!, name)).ino;
    expect(tellTree(target!)).to.deep.equal({ a: 'text', copy: 'text', linked: 'text' });
    expect(inode('a')).to.equal(inode('linked')).and.not.equal(inode('copy'));
  });

  it('links files instead of copying them', () => {
    const { before, after } = flattened([['file:a'], ['file:b']], 0, 2);
    const inode = (dir: string, name: string): number => fs.statSync(path.join(dir, name)).ino;
    expect(inode(after[0]!, 'b')).to.equal(inode(before[1]!, 'b'));
  });

  it('keeps a whiteout only where something below is to be hidden', () => {
    const { after } = flattened([['gone:low', 'gone:mid'], ['file:mid'], ['file:low']], 0, 2);
    expect(tellTree(after[0]!)).to.deep.equal({ low: 'whiteout' });
  });

  it('makes a directory opaque where it replaced a file of the window', () => {
    const { after } = flattened([['file:x/new'], ['file:x'], ['file:x/old']], 0, 2);
    expect(tellMerged(after)).to.deep.equal({ x: 'dir', 'x/new': '0:x/new' });
  });

  it('shows the same tree for any stack and any window', function () {
    this.timeout(60_000);
    const name = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'd/e/b', 'd/e/f/a');
    const entry = fc
      .tuple(fc.constantFrom('file', 'file', 'dir', 'opaque', 'gone'), name)
      .map(([what, at]) => `${what}:${at}`);
    const usable = (layer: Layer): Layer => {
      // Nothing may lie below a file or a whiteout of the same layer.
      const leaves = layer.filter((text) => /^(file|gone):/.test(text)).map((text) => text.split(':')[1]!);
      return layer.filter((text) => !leaves.some((leaf) => text.split(':')[1]!.startsWith(`${leaf}/`)));
    };
    const stack = fc.array(fc.array(entry, { maxLength: 5 }).map(usable), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(stack, fc.nat(9), fc.nat(9), (layers, from, size) => {
        const start = from % (layers.length - 1);
        const end = Math.min(layers.length, start + 2 + (size % layers.length));
        const { before, after } = flattened(layers, start, end);
        expect(tellMerged(after)).to.deep.equal(tellMerged(before));
      }),
      { numRuns: 300 },
    );
  });

  it('joins neighbours with few entries, and leaves large layers alone', () => {
    expect(windowToFlatten([1, 1, 1, 9000], 2)).to.deep.equal([0, 3]);
    expect(windowToFlatten([50, 50, 2, 2, 9000], 2)).to.deep.equal([2, 4]);
  });

  it('takes the cheapest neighbours where one layer is more than all others', () => {
    expect(windowToFlatten([1, 10, 100], 2)).to.deep.equal([0, 2]);
    expect(windowToFlatten([5], 3)).to.deep.equal([0, 1]);
  });

  const chains: readonly [name: string, weight: (at: number) => number][] = [
    ['one file each', () => 1],
    ['small and large ones', (at) => (at % 7 === 0 ? 500 : 1 + (at % 3))],
  ];
  for (const [name, weight] of chains) {
    it(`links an entry of a long chain a few times only: ${name}`, () => {
      const [length, most, least] = [3000, 64, 24];
      let stack: number[] = [];
      let [links, entries] = [0, 0];
      for (let at = 0; at < length; at++) {
        if (stack.length > most) {
          const [start, end] = windowToFlatten(stack, least);
          const joined = stack.slice(start, end).reduce((sum, each) => sum + each, 0);
          links += joined;
          stack = [...stack.slice(0, start), joined, ...stack.slice(end)];
        }
        stack = [weight(at), ...stack];
        entries += weight(at);
      }
      expect(links / entries).to.be.lessThan(4);
    });
  }
});
