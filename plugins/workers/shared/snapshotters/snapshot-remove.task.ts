import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { removeTree } from '../../../../core/util/tree/remove-tree.js';

export interface RemoveArgs {
  readonly paths: readonly string[];
}

/** Removes whole trees. */
export default function removeTrees({ paths }: RemoveArgs, _context: ThreadContext): void {
  for (const path of paths) removeTree(path);
}
