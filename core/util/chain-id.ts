import { type Digest, sha256 } from './digest.js';

/**
 * What identifies a stack of layers, bottom first, by the digests of their uncompressed tars. OCI image-spec
 * "Layer ChainID". An empty stack has none.
 */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(
    (parent, diffId) => (parent === undefined ? diffId : sha256(`${parent} ${diffId}`)),
    undefined,
  );
}
