/**
 * Resolves paths inside a merged tree. Symbolic links are followed as if the tree's root were `/`, so no path can
 * lead out of it. What does not exist is taken literally: the rest of the path is then just joined.
 */
import type { LayerTree } from './layer-tree.js';
import type { TreeNode } from './tree-node.js';

export interface Resolved {
  /** Clean, absolute, free of links as far as it exists. */
  readonly path: string;
  /** The deepest directory or entry that exists on the way. */
  readonly nearest: TreeNode;
  readonly node: TreeNode | undefined;
}

/** BuildKit: continuity fs.RootPath. */
const MAX_LINKS = 255;

export interface ResolveOptions {
  /** False leaves a link at the very end alone. */
  readonly followLast: boolean;
  /** Acts as `/` instead of the tree's root; the answered path is relative to it. */
  readonly root?: TreeNode;
}

export function resolvePath(tree: LayerTree, path: string, options: ResolveOptions): Resolved {
  const root = options.root ?? tree.root;
  /** The nodes of the path so far; below the first missing one all are undefined. */
  let walked: { readonly name: string; readonly node: TreeNode | undefined }[] = [];
  /** What is left, the next part last. */
  const todo = partsFromEnd(path);
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '.') continue;
    if (part === '..') {
      walked.pop();
      continue;
    }
    const parent = walked.length === 0 ? root : walked.at(-1)!.node;
    const node = parent && tree.child(parent, part);
    if (node?.kind === 'symlink' && (todo.length > 0 || options.followLast)) {
      if (++links > MAX_LINKS) throw new Error(`too many links in ${path}`);
      const target = node.linkname;
      if (target.startsWith('/')) walked = [];
      for (const each of partsFromEnd(target)) todo.push(each);
      continue;
    }
    walked.push({ name: part, node });
  }
  const exact = walked.length === 0 ? root : walked.at(-1)!.node;
  const nearest = walked.findLast((each) => each.node)?.node ?? root;
  return { path: `/${walked.map((each) => each.name).join('/')}`, nearest, node: exact };
}

const partsFromEnd = (path: string): string[] =>
  path
    .split('/')
    .filter((part) => part !== '')
    .reverse();
