import fs from 'node:fs';
import { copyData } from '../linux/copy.js';

/** Below it, one read and one write are cheaper than asking the kernel to copy. */
const SMALL = 64 * 1024;

/** One per thread; filled and emptied within one call. */
let scratch: Buffer | undefined;

/** A new file with the data of `source`, sharing extents where the file system can; metadata is the caller's. */
export function copyFile(source: string, target: string, size: number): void {
  const from = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const to = fs.openSync(target, 'wx', 0o600);
    try {
      if (size > 0 && size <= SMALL) copySmall(from, to);
      else copyData(from, to, size);
    } finally {
      fs.closeSync(to);
    }
  } finally {
    fs.closeSync(from);
  }
}

function copySmall(from: number, to: number): void {
  scratch ??= Buffer.allocUnsafeSlow(SMALL);
  for (let size = fs.readSync(from, scratch); size > 0; size = fs.readSync(from, scratch)) {
    for (let at = 0; at < size; ) at += fs.writeSync(to, scratch, at, size - at);
    if (size < SMALL) return;
  }
}
