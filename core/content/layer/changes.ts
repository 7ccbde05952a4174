/**
 * What a tree says beyond another one, in walk order: directory by directory, names by their bytes.
 *
 * Two ways lead there. A stack that has exactly one layer more than the lower one is read from that layer alone,
 * whiteouts and opaque directories included. Anything else is walked side by side. Both say the same: a layer may be
 * laid on any tree, so a name that did not change is not in it, even if another name of its inode is. BuildKit: util/overlay
 * Changes and continuity fs.Changes, of which the second adds such names to layers, but not to trees.
 */
import fs from 'node:fs';
import { BuildError } from '../../contracts/errors.js';
import { isWhiteout } from '../../util/linux/nodes.js';
import { listXattrs } from '../../util/linux/xattr.js';
import { kindOf, LayerTree, refuseBytes, sortByName } from '../../util/tree/layer-tree.js';
import { isOpaque, statOf, TreeNode } from '../../util/tree/tree-node.js';
import { sameEntry } from './same-entry.js';

export type Change =
  | { readonly kind: 'put'; readonly node: TreeNode }
  | { readonly kind: 'delete'; readonly parent: TreeNode; readonly name: string };

/** Changes from the stack `lower` to the stack `upper`, both topmost first. */
export function changesBetween(lower: readonly string[], upper: readonly string[]): Generator<Change> {
  const oneMore = upper.length === lower.length + 1 && lower.every((dir, at) => dir === upper[at + 1]);
  const lowerTree = new LayerTree(lower);
  if (oneMore) {
    const top = upper[0]!;
    const root = new TreeNode('', undefined, 'dir', [{ layer: 0, host: top }]);
    return upperChanges(root, lowerTree, lower.length > 0 ? lowerTree.root : undefined);
  }
  const upperTree = new LayerTree(upper);
  return walkChanges(lowerTree, lowerTree.root, upperTree, upperTree.root);
}

/** Reads one layer. `lower` is the directory's counterpart below, if there is one. */
function* upperChanges(dir: TreeNode, tree: LayerTree, lower: TreeNode | undefined): Generator<Change> {
  for (const { node, name } of rawChildren(dir)) {
    const below = lower && tree.child(lower, name);
    if (!node) {
      if (below) yield { kind: 'delete', parent: dir, name };
      continue;
    }
    if (!below || below.kind !== node.kind || !sameEntry(below, node)) yield { kind: 'put', node };
    if (node.kind !== 'dir') continue;
    refuseRedirect(node);
    const belowDir = below?.kind === 'dir' ? below : undefined;
    if (belowDir && isOpaque(node.host)) {
      const view = new LayerTree([node.host]);
      yield* walkChanges(tree, belowDir, view, node);
    } else {
      yield* upperChanges(node, tree, belowDir);
    }
  }
}

/** Walks two trees side by side. */
function* walkChanges(
  lowerTree: LayerTree,
  lower: TreeNode,
  upperTree: LayerTree,
  upper: TreeNode,
): Generator<Change> {
  for (const { name, before, after } of pair(lowerTree.children(lower), upperTree.children(upper))) {
    if (!after) {
      yield { kind: 'delete', parent: upper, name };
      continue;
    }
    if (!before || before.kind !== after.kind || !sameEntry(before, after))
      yield { kind: 'put', node: after };
    if (after.kind !== 'dir') continue;
    if (before?.kind === 'dir') yield* walkChanges(lowerTree, before, upperTree, after);
    else yield* additions(upperTree, after);
  }
}

function* additions(tree: LayerTree, dir: TreeNode): Generator<Change> {
  for (const node of tree.children(dir)) {
    yield { kind: 'put', node };
    if (node.kind === 'dir') yield* additions(tree, node);
  }
}

interface Paired {
  readonly name: string;
  readonly before: TreeNode | undefined;
  readonly after: TreeNode | undefined;
}

function* pair(lower: readonly TreeNode[], upper: readonly TreeNode[]): Generator<Paired> {
  const before = new Map(lower.map((node) => [node.name, node]));
  const after = new Map(upper.map((node) => [node.name, node]));
  const onlyBefore = lower.filter((node) => !after.has(node.name));
  for (const { name } of sortByName([...upper, ...onlyBefore])) {
    yield { name, before: before.get(name), after: after.get(name) };
  }
}

/** The entries of one layer's directory as they are, whiteouts as names without a node. */
function rawChildren(
  dir: TreeNode,
): readonly { readonly name: string; readonly node: TreeNode | undefined }[] {
  const gone = new Set<string>();
  const nodes = fs.readdirSync(dir.host).map((name) => {
    if (name.includes('\uFFFD')) refuseBytes(dir.host, name);
    const host = `${dir.host}/${name}`;
    const stat = fs.lstatSync(host, { bigint: true });
    if (isWhiteout(stat)) gone.add(name);
    return new TreeNode(name, dir, kindOf(stat), [{ layer: 0, host }], statOf(stat));
  });
  return sortByName(nodes).map((node) => ({
    name: node.name,
    node: gone.has(node.name) ? undefined : node,
  }));
}

/** Such a directory has its content under another name; nobody here mounts with `redirect_dir=on`. */
function refuseRedirect(dir: TreeNode): void {
  if (!listXattrs(dir.host).some((name) => name.endsWith('.overlay.redirect'))) return;
  throw new BuildError(
    'layer.redirect',
    `${dir.path} was renamed by overlayfs (redirect_dir), which a layer cannot say`,
  );
}
