/**
 * Build results on their way to the client: merged views of layer stacks, each below its prefix, with further files
 * among them. BuildKit: exporter/local/export.go. Wire facts E3.10.
 */
import { invalid } from '../contracts/errors.js';
import type { FileStat } from '../contracts/refs.js';
import type { ResultTree } from '../contracts/session.js';
import { goMode, goModeOf } from '../util/gofs/mode.js';
import { deviceMajor, deviceMinor } from '../util/linux/nodes.js';
import { LayerTree } from '../util/tree/layer-tree.js';
import type { TreeNode } from '../util/tree/tree-node.js';
import { walkTree } from '../util/tree/walk.js';
import { comparePaths } from './path-order.js';
import type { SourceEntry, TreeSource } from './tree-source.js';

export class ResultSource implements TreeSource {
  readonly #trees: readonly ResultTree[];

  constructor(trees: readonly ResultTree[]) {
    this.#trees = [...trees].sort((a, b) => comparePaths(a.prefix, b.prefix));
  }

  *entries(): Generator<SourceEntry, void, undefined> {
    for (const tree of this.#trees) {
      if (tree.prefix.includes('/'))
        throw invalid('transfer.prefix', `"${tree.prefix}" is no plain folder name`);
      if (tree.prefix !== '') yield { stat: prefixStat(tree) };
      yield* merge(layerEntries(tree), fileEntries(tree));
    }
  }
}

const SECOND = 1_000_000_000n;
const epochOf = (tree: ResultTree): bigint | undefined =>
  tree.sourceDateEpoch === undefined ? undefined : BigInt(tree.sourceDateEpoch) * SECOND;

function prefixStat(tree: ResultTree): FileStat {
  return {
    path: tree.prefix,
    mode: (goMode.dir + 0o755) >>> 0,
    uid: 0,
    gid: 0,
    size: 0,
    modTime: epochOf(tree) ?? BigInt(Date.now()) * 1_000_000n,
    linkname: '',
    devmajor: 0,
    devminor: 0,
    xattrs: {},
  };
}

const below = (tree: ResultTree, path: string): string =>
  tree.prefix === '' ? path : `${tree.prefix}/${path}`;

function* layerEntries(tree: ResultTree): Generator<SourceEntry, void, undefined> {
  const layers = new LayerTree(tree.stack.layers);
  const inodes = new Map<string, string>();
  const epoch = epochOf(tree);
  for (const { path, node } of walkTree(layers, layers.root)) {
    const stat = statOf(below(tree, path), node, inodes, epoch);
    yield node.kind === 'file' && stat.linkname === '' ? { stat, content: node.host } : { stat };
  }
}

function statOf(
  path: string,
  node: TreeNode,
  inodes: Map<string, string>,
  epoch: bigint | undefined,
): FileStat {
  const { stat } = node;
  const isDevice = node.kind === 'charDevice' || node.kind === 'blockDevice';
  return {
    path,
    mode: (goModeOf(stat.mode) & ~goMode.socket) >>> 0,
    uid: stat.uid,
    gid: stat.gid,
    size: node.kind === 'dir' ? 0 : stat.size,
    modTime: epoch ?? stat.mtimeNs,
    linkname: node.kind === 'symlink' ? node.linkname : earlierName(path, node, inodes),
    devmajor: isDevice ? deviceMajor(stat.rdev) : 0,
    devminor: isDevice ? deviceMinor(stat.rdev) : 0,
    xattrs: node.xattrs,
  };
}

/** Layers share inodes with their caches and each other, so names count as one file only within a layer. */
function earlierName(path: string, node: TreeNode, inodes: Map<string, string>): string {
  if (node.kind === 'dir' || node.stat.nlink < 2) return '';
  const key = `${node.layer}:${node.stat.ino}`;
  const first = inodes.get(key);
  if (first === undefined) inodes.set(key, path);
  return first ?? '';
}

function* fileEntries(tree: ResultTree): Generator<SourceEntry, void, undefined> {
  const files = tree.files.map(({ stat, data }) => ({
    stat: { ...stat, path: below(tree, stat.path) },
    data,
  }));
  for (const { stat, data } of files.sort((a, b) => comparePaths(a.stat.path, b.stat.path))) {
    yield { stat, content: data };
  }
}

/** Two ordered lists as one; a further file replaces what the tree has under its name. */
function* merge(
  tree: Generator<SourceEntry, void, undefined>,
  files: Generator<SourceEntry, void, undefined>,
): Generator<SourceEntry, void, undefined> {
  let file = files.next();
  for (const entry of tree) {
    for (; !file.done && comparePaths(file.value.stat.path, entry.stat.path) < 0; file = files.next()) {
      yield file.value;
    }
    if (!file.done && file.value.stat.path === entry.stat.path) continue;
    yield entry;
  }
  for (; !file.done; file = files.next()) yield file.value;
}
