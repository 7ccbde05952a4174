import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type { Digest } from '../util/digest.js';

const CHUNK = 1 << 20;

/** Synchronous: for worker threads, and for files of a few bytes. */
export function hashFile(file: string, checkpoint: () => void): Digest {
  const hash = createHash('sha256');
  const fd = fs.openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    for (let size = fs.readSync(fd, buffer); size > 0; size = fs.readSync(fd, buffer)) {
      checkpoint();
      hash.update(buffer.subarray(0, size));
    }
  } finally {
    fs.closeSync(fd);
  }
  return `sha256:${hash.digest('hex')}`;
}
