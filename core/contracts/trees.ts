import type { Digest } from '../util/digest.js';
import type { ResultTree } from './session.js';
import { type Token, token } from './token.js';

/** Reads whole trees as streams, off the main thread. */
export interface Trees {
  /**
   * A tar of the merged view of `trees`, each below its prefix: sorted walk, PAX, parents before children. Bytes
   * depend on the trees alone.
   */
  tar(trees: readonly ResultTree[], signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** sha256 of a stream while it passes. */
  hashing(data: AsyncIterable<Uint8Array>): { readonly data: AsyncIterable<Uint8Array>; digest(): Digest };
}
export const Trees: Token<Trees> = token('Trees');
