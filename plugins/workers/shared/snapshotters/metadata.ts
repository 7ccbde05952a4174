/** Copying what stat and xattrs say about an entry, in the order in which the kernel keeps it. */
import fs from 'node:fs';
import { setTimes } from '../../../../core/util/linux/times.js';
import { getXattr, listXattrs, setXattr } from '../../../../core/util/linux/xattr.js';

/** Attributes that overlayfs and fuse-overlayfs keep for themselves; they mean something only where those put them. */
const overlayOwn = /^((trusted|user)\.overlay|user\.fuseoverlayfs)\./;
const opaqueNames = ['trusted.overlay.opaque', 'user.overlay.opaque', 'user.fuseoverlayfs.opaque'] as const;

/** Whether a directory hides what lies below it. */
export const isOpaque = (dir: string): boolean =>
  opaqueNames.some((name) => {
    const value = getXattr(dir, name);
    return value !== undefined && Buffer.from(value).toString('latin1') === 'y';
  });

/** Owner, then mode (changing the owner clears set-user-id bits), then attributes. Times come last, see below. */
export function copyMetadata(from: string, to: string, stat: fs.BigIntStats): void {
  fs.lchownSync(to, Number(stat.uid), Number(stat.gid));
  if (!stat.isSymbolicLink()) fs.chmodSync(to, Number(stat.mode & 0o7777n));
  for (const name of listXattrs(from)) {
    if (overlayOwn.test(name)) continue;
    const value = getXattr(from, name);
    if (value) setXattr(to, name, value);
  }
}

/** For directories: only when everything inside is done. */
export function copyTimes(to: string, stat: fs.BigIntStats): void {
  setTimes(to, stat.atimeNs, stat.mtimeNs);
}
