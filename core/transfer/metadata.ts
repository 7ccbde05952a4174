/** Putting a stat's metadata on a path or an open file. Synchronous: for worker threads. */
import fs from 'node:fs';
import type { FileStat } from '../contracts/refs.js';
import { isGoSymlink, statModeOf } from '../util/gofs/mode.js';
import { setFdTimes, setTimes } from '../util/linux/times.js';
import { setXattrs } from '../util/tree/metadata.js';

export const permissionsOf = (stat: FileStat): number => statModeOf(stat.mode) & 0o7777;

const ownUid = process.geteuid?.() ?? 0;
const ownGid = process.getegid?.() ?? 0;
/** A file that was just made belongs to the process (as long as its directory is not setgid: ours are not yet). */
const needsOwner = (stat: FileStat): boolean => stat.uid !== ownUid || stat.gid !== ownGid;

/** For a file that was just made with `permissionsOf` cut by the umask. */
export function finishFile(fd: number, path: string, stat: FileStat): void {
  if (needsOwner(stat)) fs.fchownSync(fd, stat.uid, stat.gid);
  fs.fchmodSync(fd, permissionsOf(stat));
  setXattrs(path, stat.xattrs);
  setFdTimes(fd, stat.modTime, stat.modTime);
}

/** For anything else, links included; `made` says that it was just made by this process. */
export function finishPath(path: string, stat: FileStat, options: { readonly made: boolean }): void {
  if (!options.made || needsOwner(stat)) fs.lchownSync(path, stat.uid, stat.gid);
  if (!isGoSymlink(stat.mode)) fs.chmodSync(path, permissionsOf(stat));
  setXattrs(path, stat.xattrs);
  setTimes(path, stat.modTime, stat.modTime);
}
