/** Whether an entry of the upper tree says anything that the lower one does not. */
import fs from 'node:fs';
import type { TreeNode } from '../../util/tree/tree-node.js';

const CHUNK = 64 * 1024;
const capability = 'security.capability';

/**
 * BuildKit: util/overlay sameDirent. Directories are the same whatever their times are. A time without fraction may
 * have been cut when the tree was unpacked, so it proves nothing and contents are compared.
 */
export function sameEntry(lower: TreeNode, upper: TreeNode): boolean {
  const a = lower.stat;
  const b = upper.stat;
  if (lower.kind !== 'dir' && a.ino === b.ino && a.dev === b.dev) return true;
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  if (!sameBytes(lower.xattrs[capability], upper.xattrs[capability])) return false;
  if (lower.kind === 'dir') return true;
  if (a.size !== b.size || a.mtimeNs !== b.mtimeNs) return false;
  if (a.mtimeNs % 1_000_000_000n !== 0n) return true;
  if (lower.kind === 'symlink') return lower.linkname === upper.linkname;
  return lower.kind !== 'file' || a.size === 0 || sameContent(lower.host, upper.host);
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

function sameContent(a: string, b: string): boolean {
  const fds = [fs.openSync(a, 'r')];
  try {
    fds.push(fs.openSync(b, 'r'));
    const [left, right] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (;;) {
      const sizes = [readFull(fds[0]!, left), readFull(fds[1]!, right)] as const;
      if (sizes[0] !== sizes[1]) return false;
      if (left.compare(right, 0, sizes[1], 0, sizes[0]) !== 0) return false;
      if (sizes[0] < CHUNK) return true;
    }
  } finally {
    for (const fd of fds) fs.closeSync(fd);
  }
}

function readFull(fd: number, into: Buffer): number {
  let filled = 0;
  while (filled < into.length) {
    const size = fs.readSync(fd, into, filled, into.length - filled, null);
    if (size === 0) break;
    filled += size;
  }
  return filled;
}
