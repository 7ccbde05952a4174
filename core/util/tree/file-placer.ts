/**
 * Brings single entries of a source tree into a target layer.
 *
 * Files of an immutable source are hard-linked when nothing of their inode changes. Links must not show in the
 * target, where two names of one inode mean a hard link of the image (the layer writer in core/content/layer relies
 * on it). So:
 *
 * 1. An inode gets into a target layer at most once, over all that is brought into that layer; a second copy of the
 *    same file is a real copy. `linked` carries the inodes from one placer to the next.
 * 2. Names that are one inode in one layer of the source are hard links of that tree; inside one copy they become
 *    hard links again (as in BuildKit: fsutil copy getLinkSource). Names in different layers never are.
 */
import fs from 'node:fs';
import { mknod } from '../linux/nodes.js';
import { isErrno } from '../linux/system-error.js';
import { copyFile } from './copy-file.js';
import type { LayerWriter } from './layer-writer.js';
import { type Metadata, type Owner, setMetadata } from './metadata.js';
import type { TreeNode } from './tree-node.js';

/** The permission bits that an entry gets, from those it has. */
export type ModeChange = (mode: number, isDir: boolean) => number;

export interface PlaceOptions {
  readonly owner: Owner | undefined;
  readonly mode: ModeChange | undefined;
  /** Nanoseconds; undefined keeps the source's times. */
  readonly time: bigint | undefined;
  readonly immutableSource: boolean;
}

export class FilePlacer {
  readonly #writer: LayerWriter;
  readonly #options: PlaceOptions;
  readonly #linked: Set<number>;
  /** Source inode -> where it was put. */
  readonly #placed = new Map<string, string>();

  constructor(writer: LayerWriter, options: PlaceOptions, linked: Set<number>) {
    this.#writer = writer;
    this.#options = options;
    this.#linked = linked;
  }

  /** Any kind but directories. */
  place(source: TreeNode, parent: TreeNode, name: string): void {
    switch (source.kind) {
      case 'file':
        this.#placeFile(source, parent, name);
        return;
      case 'symlink':
        this.#make(source, parent, name, (host) => fs.symlinkSync(source.linkname, host));
        return;
      case 'socket':
        // A socket without its process is nothing; BuildKit leaves an empty file in its place.
        this.#make(source, parent, name, (host) => fs.closeSync(fs.openSync(host, 'wx')));
        return;
      case 'charDevice':
      case 'blockDevice':
      case 'fifo':
        this.#make(source, parent, name, (host) => mknod(host, source.stat.mode, source.stat.rdev));
        return;
      default:
        throw new Error(`${source.path} is a ${source.kind}, not an entry to place`);
    }
  }

  /** Metadata of a directory that was copied, set after its content. */
  finish(source: TreeNode, host: string): void {
    setMetadata(host, this.#metadata(source));
  }

  #placeFile(source: TreeNode, parent: TreeNode, name: string): void {
    const { nlink, ino } = source.stat;
    const key = nlink > 1 ? `${source.layer}:${ino}` : undefined;
    const earlier = key && this.#placed.get(key);
    if (earlier) {
      this.#writer.place(parent, name, 'file', (host) => fs.linkSync(earlier, host));
      return;
    }
    const host = this.#writer.place(parent, name, 'file', (target) => this.#makeFile(source, target));
    if (key) this.#placed.set(key, host);
  }

  #makeFile(source: TreeNode, host: string): void {
    if (this.#mayLink(source) && tryLink(source.host, host)) {
      this.#linked.add(source.stat.ino);
      return;
    }
    copyFile(source.host, host, source.stat.size);
    setMetadata(host, this.#metadata(source));
  }

  #mayLink(source: TreeNode): boolean {
    const { owner, mode, time, immutableSource } = this.#options;
    const { stat } = source;
    return (
      immutableSource &&
      (!owner || (owner.uid === stat.uid && owner.gid === stat.gid)) &&
      (!mode || mode(stat.mode, false) === (stat.mode & 0o7777)) &&
      (time === undefined || time === stat.mtimeNs) &&
      !this.#linked.has(stat.ino)
    );
  }

  #make(source: TreeNode, parent: TreeNode, name: string, make: (host: string) => void): void {
    const host = this.#writer.place(parent, name, source.kind === 'socket' ? 'file' : source.kind, make);
    setMetadata(host, this.#metadata(source));
  }

  #metadata(source: TreeNode): Metadata {
    const { owner, mode, time } = this.#options;
    const { stat } = source;
    return {
      uid: owner?.uid ?? stat.uid,
      gid: owner?.gid ?? stat.gid,
      mode: mode ? mode(stat.mode, source.kind === 'dir') : stat.mode,
      symlink: source.kind === 'symlink',
      xattrs: source.xattrs,
      atimeNs: time ?? stat.atimeNs,
      mtimeNs: time ?? stat.mtimeNs,
    };
  }
}

/** False where a link cannot be made: another file system, or more links than one inode takes. */
function tryLink(source: string, target: string): boolean {
  try {
    fs.linkSync(source, target);
    return true;
  } catch (error) {
    if (isErrno(error, 'EXDEV', 'EMLINK', 'EPERM', 'EOPNOTSUPP', 'ENOTSUP')) return false;
    throw error;
  }
}
