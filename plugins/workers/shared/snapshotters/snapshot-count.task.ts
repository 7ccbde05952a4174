import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { walkBytes } from '../../../../core/util/tree/walk-bytes.js';

export interface CountArgs {
  readonly dirs: readonly string[];
  /** Counting a tree stops here. */
  readonly limit: number;
}

/** How many entries each tree has, up to the limit. */
export default function countEntries({ dirs, limit }: CountArgs, context: ThreadContext): readonly number[] {
  return dirs.map((dir) => count(dir, limit, context));
}

function count(dir: string, limit: number, context: ThreadContext): number {
  let entries = 0;
  for (const _ of walkBytes(dir)) {
    if (++entries >= limit) break;
    context.throwIfAborted();
  }
  return entries;
}
