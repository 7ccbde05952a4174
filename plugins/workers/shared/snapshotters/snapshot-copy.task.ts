import fs from 'node:fs';
import path from 'node:path';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { copyEntry } from './copy-entry.js';
import { copyMetadata, copyTimes } from './metadata.js';

export interface CopyArgs {
  readonly from: string;
  /** An existing, empty directory. */
  readonly to: string;
}

/** Copies a tree so that the two share no inode: the copy will be written to. Extents are shared where possible. */
export default function copyTree({ from, to }: CopyArgs, context: ThreadContext): void {
  copyDirectory(from, to, new Map(), context);
}

/** `links`: inode to its first copy, so that hard links inside the tree stay hard links. */
function copyDirectory(from: string, to: string, links: Map<bigint, string>, context: ThreadContext): void {
  context.throwIfAborted();
  const own = fs.lstatSync(from, { bigint: true });
  for (const { name } of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, name), path.join(to, name)];
    const stat = fs.lstatSync(source, { bigint: true });
    if (stat.isDirectory()) {
      fs.mkdirSync(target, 0o700);
      copyDirectory(source, target, links, context);
      continue;
    }
    const first = stat.nlink > 1n ? links.get(stat.ino) : undefined;
    if (first !== undefined) fs.linkSync(first, target);
    else copyEntry(source, target, stat);
    if (stat.nlink > 1n && first === undefined) links.set(stat.ino, target);
  }
  copyMetadata(from, to, own);
  copyTimes(to, own);
}
