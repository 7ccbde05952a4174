import fs from 'node:fs';
import path from 'node:path';
import type { ThreadContext } from '../../../../core/contracts/threads.js';

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
  const open = [dir];
  let entries = 0;
  for (let at = open.pop(); at !== undefined && entries < limit; at = open.pop()) {
    context.throwIfAborted();
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      entries += 1;
      if (entry.isDirectory()) open.push(path.join(at, entry.name));
    }
  }
  return Math.min(entries, limit);
}
