import type { ThreadTask } from '../../../core/contracts/threads.js';
import { LayerTree } from '../../../core/util/tree/layer-tree.js';
import { walkTree } from '../../../core/util/tree/walk.js';
import type { Overlap, OverlapArgs } from './overlapping-paths.js';

/** The first path that two of the trees have, folders left aside. */
const overlappingPathsTask: ThreadTask<OverlapArgs, Overlap | undefined> = ({ trees }, context) => {
  const seen = new Map<string, string>();
  for (const { id, layers } of trees) {
    context.throwIfAborted();
    const tree = new LayerTree(layers);
    for (const { path, node } of walkTree(tree, tree.root)) {
      if (node.kind === 'dir') continue;
      const first = seen.get(path);
      if (first !== undefined) return { path, first, second: id };
      seen.set(path, id);
    }
  }
  return undefined;
};
export default overlappingPathsTask;
