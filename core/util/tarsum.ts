/**
 * The tarsum-v1 header that starts a file's content digest. A record digest is sha256(header ‖ content), so whoever
 * receives a file can compute it on the way: the header depends on nothing but the stat. Wire facts E4.2–E4.4.
 */
import { goMode, isGoDir, isGoSymlink } from './gofs/mode.js';

/** The part of a file's stat that counts; modes are Go's. A `FileStat` fits. */
export interface TarsumStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Counts for symbolic links only; on a file it means a hard link, which has its target's digest. */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: Readonly<Record<string, Uint8Array>>;
}

/** Modification time, names of user and group and the path do not count. */
export function tarsumHeader(stat: TarsumStat): Uint8Array {
  const type = typeFlag(stat.mode);
  const fields = [
    'name',
    `mode${tarMode(stat.mode)}`,
    `uid${stat.uid}`,
    `gid${stat.gid}`,
    `size${type === '0' ? stat.size : 0}`,
    `typeflag${type}`,
    `linkname${type === '2' ? stat.linkname : ''}`,
    'uname',
    'gname',
    `devmajor${stat.devmajor}`,
    `devminor${stat.devminor}`,
  ].join('');
  return Buffer.concat([Buffer.from(fields), ...xattrFields(stat.xattrs)]);
}

/** A socket, whose bit upstream clears first, counts as a regular file. */
function typeFlag(mode: number): string {
  if (isGoDir(mode)) return '5';
  if (isGoSymlink(mode)) return '2';
  if (mode & goMode.device) return mode & goMode.charDevice ? '3' : '4';
  return mode & goMode.fifo ? '6' : '0';
}

function tarMode(mode: number): number {
  return (
    (mode & goMode.permissions) |
    (mode & goMode.setuid ? 0o4000 : 0) |
    (mode & goMode.setgid ? 0o2000 : 0) |
    (mode & goMode.sticky ? 0o1000 : 0)
  );
}

function xattrFields(xattrs: Readonly<Record<string, Uint8Array>>): readonly Uint8Array[] {
  return Object.keys(xattrs)
    .filter(countsForDigest)
    .map((key) => Buffer.from(key))
    .sort(Buffer.compare)
    .flatMap((key) => [key, xattrs[key.toString()]!]);
}

const countsForDigest = (key: string): boolean =>
  key === 'security.capability' || !(key.startsWith('security.') || key.startsWith('system.'));
