import { invalid } from '../../contracts/errors.js';
import type { ContentHashOptions } from '../../contracts/refs.js';
import type { ThreadTask } from '../../contracts/threads.js';
import type { Digest } from '../../util/digest.js';
import { PatternError } from '../../util/patterns/pattern-error.js';
import { LayerTree } from '../../util/tree/layer-tree.js';
import { checksum } from './checksum.js';
import { KnownDigests } from './known-digests.js';
import { seedDigests } from './seed-digests.js';
import { TreeDigests } from './tree-digests.js';

export interface ContentHashArgs {
  readonly layers: readonly string[];
  readonly path: string;
  readonly options: ContentHashOptions;
  /** Encoded {@link KnownDigests} of the tree. */
  readonly known: Uint8Array | undefined;
  /** For want of these, the list of a tree that came from a client. */
  readonly received: Uint8Array | undefined;
}
export interface ContentHashResult {
  readonly digest: Digest;
  /** The known digests with those that were computed now; absent when nothing was. */
  readonly known?: Uint8Array;
}

const hashTask: ThreadTask<ContentHashArgs, ContentHashResult> = (args, context) => {
  const known = knownDigests(args);
  const digests = new TreeDigests(new LayerTree(args.layers), known, () => context.throwIfAborted());
  const digest = answer(digests, args);
  return known.fresh ? { digest, known: known.encode() } : { digest };
};
export default hashTask;

function knownDigests({ known, received }: ContentHashArgs): KnownDigests {
  if (known) return KnownDigests.decode(known);
  return received ? seedDigests(received) : KnownDigests.empty();
}

function answer(digests: TreeDigests, { path, options }: ContentHashArgs): Digest {
  try {
    return checksum(digests, path, options);
  } catch (error) {
    if (error instanceof PatternError) throw invalid('content-hash.pattern', error.message, { cause: error });
    throw error;
  }
}
