import fs from 'node:fs';
import { copyData } from '../../../../core/util/linux/copy.js';
import { mknod } from '../../../../core/util/linux/nodes.js';
import { copyMetadata, copyTimes } from './metadata.js';

/** Makes `to` an independent copy of the file, link, pipe, socket or device `from`; directories are the caller's. */
export function copyEntry(from: string, to: string, stat: fs.BigIntStats): void {
  if (stat.isFile()) copyFile(from, to, Number(stat.size));
  else if (stat.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(from, { encoding: 'buffer' }), to);
  else mknod(to, Number(stat.mode), stat.rdev);
  copyMetadata(from, to, stat);
  copyTimes(to, stat);
}

function copyFile(from: string, to: string, size: number): void {
  const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  const source = fs.openSync(from, O_RDONLY | O_NOFOLLOW);
  try {
    const target = fs.openSync(to, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    try {
      copyData(source, target, size);
    } finally {
      fs.closeSync(target);
    }
  } finally {
    fs.closeSync(source);
  }
}
