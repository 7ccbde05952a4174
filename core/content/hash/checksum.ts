/** The digest of a selection of paths of a tree. Wire facts E4.7–E4.11; BuildKit: cache/contenthash Checksum. */
import { createHash } from 'node:crypto';
import { notFound } from '../../contracts/errors.js';
import type { ContentHashOptions } from '../../contracts/refs.js';
import { type Digest, sha256 } from '../../util/digest.js';
import { baseOf, rootedPath } from '../../util/gofs/path.js';
import { nearest } from '../../util/nearest.js';
import { resolvePath } from '../../util/tree/resolve.js';
import type { TreeNode } from '../../util/tree/tree-node.js';
import { type Selected, type Selection, select, shownPath } from './selection.js';
import type { TreeDigests } from './tree-digests.js';

export function checksum(digests: TreeDigests, path: string, options: ContentHashOptions): Digest {
  const clean = rootedPath(path);
  const filtered =
    options.wildcard || options.includePatterns.length > 0 || options.excludePatterns.length > 0;
  if (!filtered) return digests.of(findNode(digests, clean, options.followLinks));
  const selection = select(digests.tree, clean === '/' ? '' : clean, options);
  requirePaths(selection, options.requiredPaths ?? []);
  return digestOf(digests, clean, selection, options.followLinks);
}

/** BuildKit: an empty tree has only its root. */
export function scratchChecksum(path: string): Digest {
  if (rootedPath(path) === '/') return sha256('');
  throw notFound('content-hash.not-found', `${path}: no such file or directory`);
}

function findNode(digests: TreeDigests, path: string, followLast: boolean): TreeNode {
  const wanted = rootedPath(path); // A selected root is the empty path.
  const resolved = resolvePath(digests.tree, wanted, { followLast });
  if (resolved.node) return resolved.node;
  const { nearest: dir } = resolved;
  const siblings = dir.kind === 'dir' ? digests.tree.children(dir).map((child) => child.name) : [];
  const missing = resolved.path.slice(shownPath(dir.path).length).split('/').find(Boolean) ?? '';
  const found = nearest(missing, siblings);
  throw notFound('content-hash.not-found', `"${wanted}": not found`, {
    ...(found ? { hint: `Did you mean ${shownPath(`${dir.path}/${found}`)}?` } : {}),
  });
}

function requirePaths(selection: Selection, required: readonly string[]): void {
  for (const path of required) {
    if (!selection.entries.some((entry) => entry.path.startsWith(path))) {
      throw notFound('content-hash.not-found', `"${path}": not found`);
    }
  }
}

function digestOf(
  digests: TreeDigests,
  path: string,
  { prefix, entries }: Selection,
  followLinks: boolean,
): Digest {
  if (entries.length === 0) return sha256('');
  const digestOfEntry = ({ path: at, node, outermost }: Selected): Digest =>
    followLinks && outermost && node.kind === 'symlink'
      ? digests.of(findNode(digests, at, true))
      : digests.record(node);
  const [only, ...more] = entries;
  if (only && more.length === 0 && baseOf(path === '/' ? '' : path) === baseOf(only.path)) {
    return digestOfEntry(only);
  }
  const hash = createHash('sha256');
  for (const entry of entries) {
    const key = entry.path.slice(prefix.length).replaceAll('/', '\0');
    hash.update(key === '' ? '\0' : key).update(digestOfEntry(entry));
  }
  return `sha256:${hash.digest('hex')}`;
}
