/**
 * Selectors say which paths of an input a step reads. Their digest is part of the step's definition key; the
 * content digest of what they select can stand for the input itself. Wire facts E4.9, E5.5, E5.17.
 */
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { Worker } from '../contracts/worker.js';
import type { CacheMapDep } from '../solver/op.js';
import { compareBytes } from '../util/compare.js';
import { type Digest, sha256 } from '../util/digest.js';
import { joinPath } from '../util/gofs/path.js';
import { together } from '../util/together.js';
import { asRef } from './refs.js';

export interface ContentSelector {
  readonly path: string;
  readonly wildcard: boolean;
  readonly followLinks: boolean;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly requiredPaths: readonly string[];
}

/** A path as it stands: no wildcards, no filters. */
export const plainSelector = (path: string, followLinks: boolean): ContentSelector => ({
  path,
  wildcard: false,
  followLinks,
  includePatterns: [],
  excludePatterns: [],
  requiredPaths: [],
});

/** Digest of a list of raw paths, in the order given. */
export const pathListDigest = (paths: readonly string[]): Digest => sha256(paths.join('\0'));

/** Hashes what `selectors` select of an input; no selectors select all of it. */
export function contentDigester(
  worker: Worker,
  selectors: readonly ContentSelector[],
): NonNullable<CacheMapDep['contentDigest']> {
  const wanted = selectors.length > 0 ? selectors : [plainSelector('', false)];
  return async (input, { progress, signal }) => {
    const ref = asRef(input);
    const digest = async ({ path, ...options }: ContentSelector, either: AbortSignal): Promise<Digest> => {
      try {
        return await worker.hasher.digest(ref, joinPath('/', path), options, progress, either);
      } catch (error) {
        if (isCanceled(error)) throw error;
        const name = ref ? `${ref.workerId}::${ref.id}` : 'scratch';
        throw BuildError.from(error).wrap(`failed to calculate checksum of ref ${name}`);
      }
    };
    return contentKey(await together(wanted, digest, signal));
  };
}

/** Also of a single digest: the key is never the bare content digest. */
export const contentKey = (digests: readonly Digest[]): Digest => sha256(digests.join('\0'));

/**
 * Without paths that lie below another one of the list, sorted. A list of one stays as it is, also when its path
 * is unclean: digests of old builds depend on it.
 */
export function dedupePaths(paths: readonly string[]): readonly string[] {
  if (paths.length <= 1) return paths;
  const unique = [...new Set(paths)];
  const below = (path: string, parent: string): boolean =>
    path !== parent && path.startsWith(parent.endsWith('/') ? parent : `${parent}/`);
  return unique.filter((path) => !unique.some((other) => below(path, other))).sort(compareBytes);
}
