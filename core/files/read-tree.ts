/** Reading single paths of a tree for frontends. BuildKit: cache/util/fsutil.go. */
import fs from 'node:fs';
import type { TreeStat } from '../contracts/files.js';
import { goModeOf } from '../util/gofs/mode.js';
import { baseOf, rootedPath } from '../util/gofs/path.js';
import { deviceMajor, deviceMinor } from '../util/linux/nodes.js';
import { PatternMatcher } from '../util/patterns/pattern-matcher.js';
import { LayerTree } from '../util/tree/layer-tree.js';
import { type Resolved, resolvePath } from '../util/tree/resolve.js';
import type { TreeNode } from '../util/tree/tree-node.js';
import { walkTree } from '../util/tree/walk.js';
import { isDirectory, noSuchFile, notDirectory } from './errors.js';

interface Found extends Resolved {
  readonly tree: LayerTree;
  readonly node: TreeNode;
}

export interface FileRange {
  readonly offset: number;
  readonly length?: number;
}

/** The file, if it is a regular one and at most `limit` bytes are wanted: never waits for anybody. */
export function readSmallFile(
  layers: readonly string[],
  path: string,
  range: FileRange,
  limit: number,
): Uint8Array | undefined {
  const { node } = find(layers, path, 'open');
  const small = node.kind === 'file' && Math.min(node.stat.size, range.length ?? node.stat.size) <= limit;
  return small ? readNode(node, path, range) : undefined;
}

export const readFile = (layers: readonly string[], path: string, range: FileRange): Uint8Array =>
  readNode(find(layers, path, 'open').node, path, range);

function readNode(node: TreeNode, path: string, range: FileRange): Uint8Array {
  if (node.kind === 'dir') throw isDirectory('read', path);
  const fd = fs.openSync(node.host, 'r');
  try {
    const available = Math.max(0, fs.fstatSync(fd).size - range.offset);
    const buffer = Buffer.alloc(Math.min(available, range.length ?? available));
    const size = buffer.length > 0 ? fs.readSync(fd, buffer, 0, buffer.length, range.offset) : 0;
    return buffer.subarray(0, size);
  } finally {
    fs.closeSync(fd);
  }
}

/** Only the directory itself; with a pattern also directories that hold a match are listed. */
export function readDir(
  layers: readonly string[],
  path: string,
  includePattern: string | undefined,
): readonly TreeStat[] {
  const { tree, node } = find(layers, path, 'lstat');
  if (node.kind !== 'dir') throw notDirectory('readdirent', path);
  const matcher = includePattern ? new PatternMatcher([includePattern]) : undefined;
  return tree
    .children(node)
    .filter((child) => !matcher || matcher.matches(child.name) || holdsMatch(tree, child, matcher))
    .map((child) => statOfNode(child, child.name));
}

export function statFile(layers: readonly string[], path: string): TreeStat {
  const found = find(layers, path, 'lstat');
  return statOfNode(found.node, baseOf(found.path));
}

function find(layers: readonly string[], path: string, call: string): Found {
  const tree = new LayerTree(layers);
  const resolved = resolvePath(tree, rootedPath(path), { followLast: true });
  if (!resolved.node) throw noSuchFile(call, path, tree, resolved);
  return { ...resolved, tree, node: resolved.node };
}

function holdsMatch(tree: LayerTree, dir: TreeNode, matcher: PatternMatcher): boolean {
  if (dir.kind !== 'dir' || !matcher.mayIncludeBelow(dir.name)) return false;
  for (const { path } of walkTree(tree, dir, dir.name)) if (matcher.matches(path)) return true;
  return false;
}

function statOfNode(node: TreeNode, path: string): TreeStat {
  const { stat, kind } = node;
  const device = kind === 'charDevice' || kind === 'blockDevice';
  return {
    path,
    mode: goModeOf(stat.mode),
    uid: stat.uid,
    gid: stat.gid,
    size: kind === 'dir' ? 0 : stat.size,
    modTime: stat.mtimeNs,
    linkname: kind === 'symlink' ? node.linkname : '',
    devmajor: device ? deviceMajor(stat.rdev) : 0,
    devminor: device ? deviceMinor(stat.rdev) : 0,
  };
}
