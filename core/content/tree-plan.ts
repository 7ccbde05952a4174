/**
 * Plans a tar of whole trees, each below its prefix, with the further files of each behind it. Hard links follow
 * the rule of layers (layer-plan.ts). BuildKit: exporter/tar.
 */
import type { FileStat } from '../contracts/refs.js';
import type { ResultTree } from '../contracts/session.js';
import { isGoDir, isGoFile, statModeOf } from '../util/gofs/mode.js';
import { joinPath } from '../util/gofs/path.js';
import { LayerTree } from '../util/tree/layer-tree.js';
import type { TreeNode } from '../util/tree/tree-node.js';
import { walkTree } from '../util/tree/walk.js';
import { clampTime, headerOf } from './layer/layer-plan.js';
import type { PlanItem } from './layer/tar-plan.js';

export function planTrees(trees: readonly ResultTree[], checkpoint: () => void): readonly PlanItem[] {
  return [...trees.flatMap((tree) => planTree(tree, checkpoint)), { kind: 'end' }];
}

function planTree(result: ResultTree, checkpoint: () => void): readonly PlanItem[] {
  const tree = new LayerTree(result.stack.layers);
  const items: PlanItem[] = [];
  const links = new Map<string, string>();
  if (result.prefix !== '' && result.stack.layers.length > 0) {
    items.push(entryOf(tree.root, `${result.prefix}/`, result.sourceDateEpoch));
  }
  for (const { path, node } of walkTree(tree, tree.root)) {
    checkpoint();
    if (node.kind === 'socket') continue;
    const name = joinPath(result.prefix, path);
    const item = entryOf(node, node.kind === 'dir' ? `${name}/` : name, result.sourceDateEpoch);
    items.push(linked(item, node, links));
  }
  return [...items, ...result.files.map((file) => dataOf(file, result))];
}

const entryOf = (node: TreeNode, name: string, epoch: number | undefined): PlanItem & { kind: 'entry' } => ({
  kind: 'entry',
  header: headerOf(node, name, epoch),
  host: node.host,
});

function linked(item: PlanItem & { kind: 'entry' }, node: TreeNode, links: Map<string, string>): PlanItem {
  if (node.kind === 'dir' || node.stat.nlink < 2) return item;
  const inode = `${node.layer}:${node.stat.dev}:${node.stat.ino}`;
  const earlier = links.get(inode);
  if (earlier === undefined) {
    links.set(inode, item.header.name);
    return item;
  }
  return { ...item, header: { ...item.header, type: 'link', linkname: earlier, size: 0 } };
}

function dataOf(file: { readonly stat: FileStat; readonly data: Uint8Array }, result: ResultTree): PlanItem {
  const { stat, data } = file;
  const dir = isGoDir(stat.mode);
  if (!dir && !isGoFile(stat.mode)) throw new Error(`${stat.path} is neither a file nor a directory`);
  const name = joinPath(result.prefix, stat.path);
  return {
    kind: 'data',
    data,
    header: {
      name: dir ? `${name}/` : name,
      type: dir ? 'dir' : 'file',
      mode: statModeOf(stat.mode) & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      size: dir ? 0 : data.length,
      mtime: clampTime(stat.modTime, result.sourceDateEpoch),
      linkname: '',
      devmajor: 0,
      devminor: 0,
      xattrs: {},
    },
  };
}
