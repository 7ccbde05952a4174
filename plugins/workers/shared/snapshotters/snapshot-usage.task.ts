import fs from 'node:fs';
import path from 'node:path';
import type { SnapshotUsage } from '../../../../core/contracts/snapshotter.js';
import type { ThreadContext } from '../../../../core/contracts/threads.js';

export interface UsageArgs {
  readonly dir: string;
}

/** What stat(2) counts blocks in, whatever the file system's own block size is. */
const BLOCK = 512;

/** Disk space and inodes below a directory; several names of one inode count once. */
export default function diskUsage({ dir }: UsageArgs, context: ThreadContext): SnapshotUsage {
  const linked = new Set<number>();
  const open = [dir];
  let [bytes, inodes] = [0, 0];
  const count = (stat: fs.Stats): void => {
    if (stat.nlink > 1 && !stat.isDirectory()) {
      if (linked.has(stat.ino)) return;
      linked.add(stat.ino);
    }
    bytes += stat.blocks * BLOCK;
    inodes += 1;
  };
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    context.throwIfAborted();
    count(fs.lstatSync(at));
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      const inner = path.join(at, entry.name);
      if (entry.isDirectory()) open.push(inner);
      else count(fs.lstatSync(inner));
    }
  }
  return { bytes, inodes };
}
