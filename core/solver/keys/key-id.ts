/**
 * Names of cache keys. A key without inputs is named by what it is; other keys get a random name and are found by
 * following links. BuildKit: solver/cachemanager.go rootKey, wire facts E5.1 and E5.2.
 */
import { type Digest, hexOf, sha256 } from '../../util/digest.js';
import { newId } from '../../util/identity.js';

/** A root key's digest, a random name, or `random:…` for a key that must not outlive this process. */
export type KeyId = string;

const volatilePrefix = 'random:';
/** The output that content keys have instead of a real one. */
const contentOutput = -1;

/** Key of output `output` of a step without inputs; also what a cache export stores for every record. */
export function rootKey(mapDigest: Digest, output: number): Digest {
  if (isVolatile(mapDigest)) return output === 0 ? mapDigest : `random:${hexOf(mapDigest)}-${output}`;
  return sha256(`${mapDigest}@${output}`);
}

/** Key of anything whose content has this digest. */
export const contentKey = (contentDigest: Digest): Digest => rootKey(contentDigest, contentOutput);

/**
 * True for keys that mean nothing to another process, and those that only such keys lead to; of the name of an origin,
 * that it begins with such a key.
 */
export const isVolatile = (name: KeyId): boolean => name.startsWith(volatilePrefix);

export const newKey = (volatile: boolean): KeyId => (volatile ? `${volatilePrefix}${newId()}` : newId());
