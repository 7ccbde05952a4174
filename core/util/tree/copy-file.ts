import fs from 'node:fs';
import { copyData } from '../linux/copy.js';

/** A new file with the data of `source`, sharing extents where the file system can; metadata is the caller's. */
export function copyFile(source: string, target: string, size: number): void {
  const from = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const to = fs.openSync(target, 'wx', 0o600);
    try {
      copyData(from, to, size);
    } finally {
      fs.closeSync(to);
    }
  } finally {
    fs.closeSync(from);
  }
}
