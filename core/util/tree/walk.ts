import type { LayerTree } from './layer-tree.js';
import type { TreeNode } from './tree-node.js';

export interface Walked {
  /** Relative to where the walk started. */
  readonly path: string;
  readonly node: TreeNode;
}

/** Everything below `dir`, parents before children, siblings by the bytes of their names; `dir` itself is left out. */
export function* walkTree(tree: LayerTree, dir: TreeNode, prefix = ''): Generator<Walked, void, undefined> {
  for (const node of tree.children(dir)) {
    const path = prefix === '' ? node.name : `${prefix}/${node.name}`;
    yield { path, node };
    if (node.kind !== 'dir') continue;
    yield* walkTree(tree, node, path);
    // A walk does not come back; a large tree is not kept.
    node.known.clear();
    node.complete = false;
  }
}
