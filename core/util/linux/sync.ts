/** Making things durable. */
import fs from 'node:fs';
import { bind, check } from './libc.js';

const cSyncfs = bind('int syncfs(int fd)');

/** Writes back the whole file system that holds `path`. */
export function syncFileSystem(path: string): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY);
  try {
    check(cSyncfs(fd), 'syncfs', path);
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes renames and removals inside `dir` durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await fs.promises.open(dir, fs.constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
