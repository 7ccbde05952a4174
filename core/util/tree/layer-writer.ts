/**
 * Changes a merged tree by writing into its top layer, leaving there what overlayfs itself would leave.
 *
 * 1. A directory gets its owner, mode, times and xattrs copied when the first thing is written below it; its
 *    parents keep their times through that.
 * 2. Deleting what a lower layer has leaves a whiteout; a directory made in its place is opaque.
 * 3. What stands in the top layer is never changed through an inode that may be shared: files are replaced.
 * 4. A stack of one directory has nothing below, so none of this shows: plain changes of that directory.
 */
import fs from 'node:fs';
import { makeWhiteout } from '../linux/nodes.js';
import { isErrno } from '../linux/system-error.js';
import { setTimes } from '../linux/times.js';
import { setXattr } from '../linux/xattr.js';
import { copyFile } from './copy-file.js';
import { LayerTree } from './layer-tree.js';
import { setMetadata } from './metadata.js';
import { removeTree } from './remove-tree.js';
import { type NodeKind, statOf, TreeNode } from './tree-node.js';

export class LayerWriter {
  readonly tree: LayerTree;

  /** `layers[0]` is written. */
  constructor(layers: readonly string[]) {
    this.tree = new LayerTree(layers);
  }

  /** The directory's place in the top layer; copies it up if it is not there yet. */
  own(dir: TreeNode): string {
    if (dir.layer === 0) return dir.host;
    const parentHost = this.own(dir.parent!);
    const parentStat = statOf(fs.lstatSync(parentHost, { bigint: true }));
    const host = `${parentHost}/${dir.name}`;
    fs.mkdirSync(host, 0o700);
    setMetadata(host, { ...dir.stat, symlink: false, xattrs: dir.xattrs });
    setTimes(parentHost, parentStat.atimeNs, parentStat.mtimeNs);
    dir.promote({ layer: 0, host });
    return host;
  }

  /** The place of a file or link in the top layer; copies it up if it is not there yet. */
  ownEntry(node: TreeNode): string {
    if (node.layer === 0) return node.host;
    if (node.kind !== 'file' && node.kind !== 'symlink') throw new Error(`${node.path} cannot be linked to`);
    const { stat, xattrs } = node;
    const host = this.place(node.parent!, node.name, node.kind, (target) => {
      if (node.kind === 'file') copyFile(node.host, target, stat.size);
      else fs.symlinkSync(node.linkname, target);
    });
    setMetadata(host, { ...stat, symlink: node.kind === 'symlink', xattrs });
    return host;
  }

  /** Makes a directory where nothing is. Its mode is set exactly, whatever the umask. */
  mkdir(parent: TreeNode, name: string, mode: number): TreeNode {
    const host = `${this.own(parent)}/${name}`;
    try {
      fs.mkdirSync(host);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      fs.unlinkSync(host); // a whiteout
      fs.mkdirSync(host);
      markOpaque(host);
    }
    fs.chmodSync(host, mode & 0o7777);
    const node = new TreeNode(name, parent, 'dir', [{ layer: 0, host }]);
    node.complete = true;
    parent.known.set(name, node);
    return node;
  }

  /** Puts something that is no directory at `name`, replacing what is there unless that is a directory. */
  place(parent: TreeNode, name: string, kind: NodeKind, make: (host: string) => void): string {
    const existing = this.tree.child(parent, name);
    if (existing?.kind === 'dir') throw new Error(`${existing.path} is a directory and cannot be replaced`);
    const host = `${this.own(parent)}/${name}`;
    if (existing?.layer === 0) fs.unlinkSync(host);
    try {
      make(host);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      fs.unlinkSync(host); // a whiteout
      make(host);
    }
    parent.known.set(name, new TreeNode(name, parent, kind, [{ layer: 0, host }]));
    return host;
  }

  /** Removes a path with all below it. */
  remove(node: TreeNode): void {
    const parent = node.parent!;
    if (node.layer === 0) removeTree(node.host);
    if (this.tree.childBelow(parent, node.name)) makeWhiteout(`${this.own(parent)}/${node.name}`);
    parent.known.set(node.name, undefined);
  }
}

/** Hides what lower layers have under the directory. `user.` is for workers without CAP_SYS_ADMIN, whose overlays are mounted with `userxattr`. */
export function markOpaque(host: string): void {
  const yes = Buffer.from('y');
  try {
    setXattr(host, 'trusted.overlay.opaque', yes);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error;
    setXattr(host, 'user.overlay.opaque', yes);
  }
}
