import { type Digest, hexOf, sha256 } from '../../util/digest.js';

/**
 * Cache-map digest of a source op from its source's key. A key that names a session must not outlive it, so
 * its digest is one that never persists. Wire facts E5.6 and E5.7, golden values G2.
 */
export function sourceKey(key: string): Digest {
  const digest = sha256(`buildkit.source.v0:${key}`);
  return key.startsWith('session:') ? `random:${hexOf(digest)}` : digest;
}
