/**
 * Puts the entries of a tar below a directory of a tree that is written.
 *
 * 1. Nothing leaves `root`: links in an entry's path are resolved as if it were `/`, `..` stops there.
 * 2. A later entry replaces an earlier one, but a directory entry keeps what an existing directory holds.
 * 3. Parents that the tar does not list are made with the `implied` metadata.
 * 4. Times of directories are set at the end: writing into them changes them.
 */
import fs from 'node:fs';
import { rootedPath } from '../gofs/path.js';
import { makeDevice, mknod } from '../linux/nodes.js';
import { setTimes } from '../linux/times.js';
import { userNamespace } from '../linux/user-namespace.js';
import type { TarHeader } from '../tar/header.js';
import type { TarHandler } from '../tar/tar-reader.js';
import type { LayerWriter } from './layer-writer.js';
import { type Owner, setMetadata, setOwner } from './metadata.js';
import { resolvePath } from './resolve.js';
import type { NodeKind, TreeNode } from './tree-node.js';

export interface ExtractOptions {
  /** Instead of the owners in the tar. */
  readonly owner: Owner | undefined;
  readonly implied: { readonly mode: number; readonly owner: Owner | undefined };
  /** Called for a directory made by rule 3. */
  readonly onImplied?: (dir: TreeNode) => void;
  /** Looks at each entry first; true when it has dealt with it itself. */
  readonly intercept?: (header: TarHeader, parent: TreeNode, name: string) => boolean;
}

const kinds: Readonly<Record<TarHeader['type'], NodeKind>> = {
  file: 'file',
  link: 'file',
  symlink: 'symlink',
  charDevice: 'charDevice',
  blockDevice: 'blockDevice',
  dir: 'dir',
  fifo: 'fifo',
};

const isDevice = (type: TarHeader['type']): boolean => type === 'charDevice' || type === 'blockDevice';

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;

export class TarExtractor implements TarHandler {
  readonly #writer: LayerWriter;
  readonly #root: TreeNode;
  readonly #options: ExtractOptions;
  /** The regular file being written. */
  #open: { readonly fd: number; readonly header: TarHeader; readonly host: string } | undefined;
  readonly #dirTimes = new Map<string, bigint>();
  /** The directory of the last entry: most entries follow their siblings. */
  #lastParent: { readonly path: string; readonly node: TreeNode } | undefined;

  constructor(writer: LayerWriter, root: TreeNode, options: ExtractOptions) {
    this.#writer = writer;
    this.#root = root;
    this.#options = options;
  }

  entry(header: TarHeader): void {
    const path = rootedPath(header.name);
    if (path === '/') return;
    const slash = path.lastIndexOf('/');
    const parent = this.#parentDir(path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (this.#options.intercept?.(header, parent, name)) return;
    this.#make(header, parent, name);
  }

  data(chunk: Uint8Array): void {
    if (!this.#open) return;
    for (let at = 0; at < chunk.length; ) at += fs.writeSync(this.#open.fd, chunk, at);
  }

  entryEnd(): void {
    if (!this.#open) return;
    const { fd, header, host } = this.#open;
    this.#open = undefined;
    fs.closeSync(fd);
    this.#finish(header, host);
  }

  /** Call after the last entry. */
  finish(): void {
    for (const [host, time] of this.#dirTimes) setTimes(host, time, time);
  }

  /** Call instead of `finish` after a failure. */
  abandon(): void {
    if (this.#open) fs.closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #parentDir(path: string): TreeNode {
    if (this.#lastParent?.path === path) return this.#lastParent.node;
    const node = this.#ensureDirs(
      resolvePath(this.#writer.tree, path, { followLast: true, root: this.#root }).path,
    );
    this.#lastParent = { path, node };
    return node;
  }

  /** `path` is relative to the root and free of links. */
  #ensureDirs(path: string): TreeNode {
    let dir = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const existing = this.#writer.tree.child(dir, name);
      if (existing && existing.kind !== 'dir') throw new Error(`${existing.path}: not a directory`);
      dir = existing ?? this.#implied(dir, name);
    }
    return dir;
  }

  #implied(parent: TreeNode, name: string): TreeNode {
    const { mode, owner } = this.#options.implied;
    const dir = this.#writer.mkdir(parent, name, mode);
    if (owner) setOwner(dir.host, owner);
    this.#options.onImplied?.(dir);
    return dir;
  }

  #make(header: TarHeader, parent: TreeNode, name: string): void {
    const existing = this.#writer.tree.child(parent, name);
    const merges = existing?.kind === 'dir' && header.type === 'dir';
    if (existing && !merges) this.remove(existing);
    // The kernel makes no devices for a user namespace; containers have theirs from the runtime. containerd: pkg/archive.
    if (isDevice(header.type) && userNamespace().nested) return;
    if (header.type === 'dir') {
      const dir = merges ? existing : this.#writer.mkdir(parent, name, header.mode);
      this.#finish(header, this.#writer.own(dir));
      this.#dirTimes.set(dir.host, header.mtime);
      return;
    }
    const host = this.#writer.place(parent, name, kinds[header.type], (target) =>
      this.#create(header, target),
    );
    // A link is its target, whose inode may be shared with another layer by now.
    if (header.type !== 'file' && header.type !== 'link') this.#finish(header, host);
  }

  /** Removes a path, and what was still to be done about it. */
  remove(node: TreeNode): void {
    this.#lastParent = undefined;
    for (const host of this.#dirTimes.keys()) {
      if (host === node.host || host.startsWith(`${node.host}/`)) this.#dirTimes.delete(host);
    }
    this.#writer.remove(node);
  }

  #create(header: TarHeader, host: string): void {
    const device = makeDevice(header.devmajor, header.devminor);
    switch (header.type) {
      case 'file':
        this.#open = { fd: fs.openSync(host, 'wx', 0o600), header, host };
        return;
      case 'link':
        fs.linkSync(this.#linkTarget(header), host);
        return;
      case 'symlink':
        fs.symlinkSync(header.linkname, host);
        return;
      case 'charDevice':
        mknod(host, S_IFCHR | header.mode, device);
        return;
      case 'blockDevice':
        mknod(host, S_IFBLK | header.mode, device);
        return;
      case 'fifo':
        mknod(host, S_IFIFO | header.mode);
        return;
      case 'dir':
        throw new Error('a directory is not created here');
      default:
        header.type satisfies never;
    }
  }

  /** Links name an earlier entry; a link to a symbolic link is to the link itself. */
  #linkTarget(header: TarHeader): string {
    const resolved = resolvePath(this.#writer.tree, rootedPath(header.linkname), {
      followLast: false,
      root: this.#root,
    });
    if (!resolved.node || resolved.node.kind === 'dir') {
      throw new Error(`${header.name} is a hard link to ${header.linkname}, which is not there`);
    }
    return this.#writer.ownEntry(resolved.node);
  }

  #finish(header: TarHeader, host: string): void {
    const { owner } = this.#options;
    setMetadata(host, {
      uid: owner?.uid ?? header.uid,
      gid: owner?.gid ?? header.gid,
      mode: header.mode,
      symlink: header.type === 'symlink',
      xattrs: header.xattrs,
      atimeNs: header.mtime,
      mtimeNs: header.mtime,
    });
  }
}
