import { joinPath, rootedPath } from '../util/gofs/path.js';
import { compileGoMatch, hasWildcards } from '../util/patterns/go-match.js';
import type { LayerTree } from '../util/tree/layer-tree.js';
import { type Resolved, resolvePath } from '../util/tree/resolve.js';
import type { TreeNode } from '../util/tree/tree-node.js';
import { noSuchFile } from './errors.js';

/**
 * The paths that a pattern names, in walk order, as absolute paths of the tree. Links are followed in the part
 * before the first wildcard only; nothing is looked for below a directory that matched. A path without wildcards
 * is answered as it is, cleaned, whether it exists or not. BuildKit: fsutil copy ResolveWildcards.
 */
export function resolveWildcards(tree: LayerTree, path: string, followLinks: boolean): readonly string[] {
  const parts = rootedPath(path)
    .split('/')
    .filter((part) => part !== '');
  const first = parts.findIndex(hasWildcards);
  if (first === -1) return [`/${parts.join('/')}`];
  const fixed = `/${parts.slice(0, first).join('/')}`;
  const base = resolveSource(tree, fixed, followLinks);
  if (!base.node) throw noSuchFile('lstat', fixed, tree, base);
  const wild = parts.slice(first);
  // Stars and question marks stop at slashes, classes do not.
  const depth = wild.some((part) => part.includes('[')) ? Number.POSITIVE_INFINITY : wild.length;
  const glob = compileGoMatch(wild.join('/'));
  return [...matching(tree, base.node, '', depth, glob)].map((rel) => joinPath(base.path, rel));
}

function* matching(
  tree: LayerTree,
  dir: TreeNode,
  prefix: string,
  depth: number,
  glob: (path: string) => boolean,
): Generator<string> {
  if (dir.kind !== 'dir') return;
  for (const child of tree.children(dir)) {
    const path = joinPath(prefix, child.name);
    if (glob(path)) yield path;
    else if (depth > 1) yield* matching(tree, child, path, depth - 1, glob);
  }
}

/** A path to copy from: a link at its end is followed only on request. The root is always itself. */
export function resolveSource(tree: LayerTree, path: string, followLinks: boolean): Resolved {
  return resolvePath(tree, rootedPath(path), { followLast: followLinks });
}
