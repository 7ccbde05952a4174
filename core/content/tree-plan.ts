/**
 * Plans a tar of whole trees, each below its prefix, with the further files of each behind it. Hard links follow
 * the rule of layers (layer-plan.ts); unlike layers, all extended attributes are kept.
 * BuildKit: exporter/tar, fsutil WriteTar and SubDirFS.
 */
import type { FileStat } from '../contracts/refs.js';
import type { ResultTree } from '../contracts/session.js';
import { isGoDir, isGoFile, statModeOf } from '../util/gofs/mode.js';
import { joinPath } from '../util/gofs/path.js';
import type { TarHeader } from '../util/tar/header.js';
import { LayerTree } from '../util/tree/layer-tree.js';
import type { TreeNode } from '../util/tree/tree-node.js';
import { walkTree } from '../util/tree/walk.js';
import { headerOf } from './layer/layer-plan.js';
import type { PlanItem } from './layer/tar-plan.js';

export function planTrees(trees: readonly ResultTree[], checkpoint: () => void): readonly PlanItem[] {
  return [...trees.flatMap((tree) => planTree(tree, checkpoint)), { kind: 'end' }];
}

function planTree(result: ResultTree, checkpoint: () => void): readonly PlanItem[] {
  const { prefix, stack } = result;
  const tree = new LayerTree(stack.layers);
  const items: PlanItem[] = prefix === '' ? [] : [prefixDir(result)];
  const links = new Map<string, string>();
  for (const { path, node } of walkTree(tree, tree.root)) {
    checkpoint();
    // A socket without its process is nothing, and tar has no type for it.
    if (node.kind === 'socket') continue;
    items.push({ kind: 'entry', header: treeHeader(node, path, result, links), host: node.host });
  }
  return [...items, ...result.files.map((file) => dataOf(file, result))];
}

function treeHeader(node: TreeNode, path: string, result: ResultTree, links: Map<string, string>): TarHeader {
  const { prefix, sourceDateEpoch } = result;
  const name = joinPath(prefix, path);
  const plain = headerOf(node, node.kind === 'dir' ? `${name}/` : name, undefined);
  const mtime = sourceDateEpoch === undefined ? plain.mtime : BigInt(sourceDateEpoch);
  const header = { ...plain, mtime, xattrs: node.xattrs };
  // An absolute link has to lead into its own tree still.
  if (node.kind === 'symlink' && prefix !== '' && plain.linkname.startsWith('/')) {
    return { ...header, linkname: joinPath('/', prefix, plain.linkname) };
  }
  if (node.kind === 'dir' || node.stat.nlink < 2) return header;
  const inode = `${node.layer}:${node.stat.dev}:${node.stat.ino}`;
  const earlier = links.get(inode);
  if (earlier !== undefined) return { ...header, type: 'link', linkname: earlier, size: 0 };
  links.set(inode, name);
  return header;
}

const bareEntry = {
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
} as const;

function prefixDir({ prefix, sourceDateEpoch }: ResultTree): PlanItem {
  const header: TarHeader = {
    ...bareEntry,
    name: `${prefix}/`,
    type: 'dir',
    mode: 0o755,
    mtime: BigInt(sourceDateEpoch ?? 0),
  };
  return { kind: 'data', header, data: new Uint8Array() };
}

function dataOf(file: { readonly stat: FileStat; readonly data: Uint8Array }, result: ResultTree): PlanItem {
  const { stat, data } = file;
  const dir = isGoDir(stat.mode);
  if (!dir && !isGoFile(stat.mode)) throw new Error(`${stat.path} is neither a file nor a directory`);
  const name = joinPath(result.prefix, stat.path);
  const header: TarHeader = {
    ...bareEntry,
    name: dir ? `${name}/` : name,
    type: dir ? 'dir' : 'file',
    mode: statModeOf(stat.mode) & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: dir ? 0 : data.length,
    mtime: BigInt(result.sourceDateEpoch ?? stat.modTime / 1_000_000_000n),
  };
  return { kind: 'data', header, data };
}
