import type { FileStat } from '../contracts/refs.js';
import { isGoDir } from '../util/gofs/mode.js';

/** Whether a receiver may keep what it has. Extended attributes do not count. Wire facts E3.5. */
export const sameFile = (a: FileStat, b: FileStat): boolean =>
  a.mode === b.mode &&
  a.uid === b.uid &&
  a.gid === b.gid &&
  a.devmajor === b.devmajor &&
  a.devminor === b.devminor &&
  a.linkname === b.linkname &&
  (isGoDir(a.mode) || (a.size === b.size && a.modTime === b.modTime));
