/** Owner, mode, times and xattrs of one path, set in the order in which they do not undo each other. */
import fs from 'node:fs';
import { isErrno } from '../linux/system-error.js';
import { setTimes } from '../linux/times.js';
import { checkIds } from '../linux/user-namespace.js';
import { setXattr } from '../linux/xattr.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}
export interface Times {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}
export interface Metadata extends Owner, Times {
  /** st_mode; type bits are ignored. */
  readonly mode: number;
  readonly symlink: boolean;
  readonly xattrs: Readonly<Record<string, Uint8Array>>;
}

/** Changing the owner clears set-id bits and capabilities, so it comes first; times come last. */
export function setMetadata(host: string, metadata: Metadata): void {
  setOwner(host, metadata);
  if (!metadata.symlink) fs.chmodSync(host, metadata.mode & 0o7777);
  setXattrs(host, metadata.xattrs);
  setTimes(host, metadata.atimeNs, metadata.mtimeNs);
}

/** Without root, giving a file to oneself has to work: builds in a user namespace do it all the time. */
export function setOwner(host: string, owner: Owner): void {
  try {
    fs.lchownSync(host, owner.uid, owner.gid);
  } catch (error) {
    const own = fs.lstatSync(host);
    if (own.uid === owner.uid && own.gid === owner.gid) return;
    checkIds(owner);
    throw error;
  }
}

/** What overlayfs and fuse-overlayfs take for their own marks. Those of a tree say what it is made of, not what is in it. */
export const isOverlayXattr = (name: string): boolean =>
  /^((trusted|user)\.overlay|user\.fuseoverlayfs)\./.test(name);

/**
 * An attribute that the target cannot take is left out (BuildKit: file/backend.go xattrErrorHandler). So are marks of
 * overlayfs: from an archive or a client they would hide or redirect what lies in other layers.
 */
export function setXattrs(host: string, xattrs: Readonly<Record<string, Uint8Array>>): void {
  for (const [name, value] of Object.entries(xattrs)) {
    if (isOverlayXattr(name)) continue;
    try {
      setXattr(host, name, value);
    } catch (error) {
      if (!isErrno(error, ...untakable)) throw error;
    }
  }
}
const untakable = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ERANGE', 'ENOSPC', 'E2BIG'] as const;
