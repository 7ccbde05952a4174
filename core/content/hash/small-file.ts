import type { ContentHashOptions } from '../../contracts/refs.js';
import type { Digest } from '../../util/digest.js';
import { rootedPath } from '../../util/gofs/path.js';
import { LayerTree } from '../../util/tree/layer-tree.js';
import { resolvePath } from '../../util/tree/resolve.js';
import { checksum } from './checksum.js';
import { KnownDigests } from './known-digests.js';
import { TreeDigests } from './tree-digests.js';

/** Bytes that are hashed sooner than a thread would hear of them. */
const SMALL_FILE = 64 << 10;

/** The digest of a path that is one small file; undefined for all else. Cheaper than keeping it. */
export function smallFileDigest(
  layers: readonly string[],
  path: string,
  options: ContentHashOptions,
): Digest | undefined {
  const { wildcard, includePatterns, excludePatterns, followLinks } = options;
  if (wildcard || includePatterns.length > 0 || excludePatterns.length > 0) return undefined;
  const tree = new LayerTree(layers);
  const { node } = resolvePath(tree, rootedPath(path), { followLast: followLinks });
  if (node?.kind !== 'file' || node.stat.size > SMALL_FILE) return undefined;
  return checksum(new TreeDigests(tree, KnownDigests.empty(), () => {}), path, options);
}
