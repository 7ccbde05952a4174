/** Making things durable. */
import fs from 'node:fs';
import { closeDescriptor } from './descriptors.js';
import { AT_FDCWD, bind, check } from './libc.js';
import { openIn } from './open-in.js';

const cSyncFs = bind('int syncfs(int fd)');

/** Writes all pages of the file system that `path` lies on. Synchronous: in worker threads only. */
export function syncFileSystem(path: string): void {
  const fd = openIn(AT_FDCWD, path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, { resolve: 0 });
  try {
    check(cSyncFs(fd), 'syncfs', path);
  } finally {
    closeDescriptor(fd);
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
