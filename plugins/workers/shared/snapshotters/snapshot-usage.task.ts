import fs from 'node:fs';
import type { SnapshotUsage } from '../../../../core/contracts/snapshotter.js';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { walkBytes } from '../../../../core/util/tree/walk-bytes.js';

export interface UsageArgs {
  readonly dir: string;
}

/** What stat(2) counts blocks in, whatever the file system's own block size is. */
const BLOCK = 512;

/** Disk space and inodes below a directory; several names of one inode count once. */
export default function diskUsage({ dir }: UsageArgs, context: ThreadContext): SnapshotUsage {
  const linked = new Set<number>();
  let [bytes, inodes] = [0, 0];
  const count = (stat: fs.Stats): void => {
    if (stat.nlink > 1 && !stat.isDirectory()) {
      if (linked.has(stat.ino)) return;
      linked.add(stat.ino);
    }
    bytes += stat.blocks * BLOCK;
    inodes += 1;
  };
  count(fs.lstatSync(dir));
  for (const { path } of walkBytes(dir)) {
    context.throwIfAborted();
    count(fs.lstatSync(path));
  }
  return { bytes, inodes };
}
