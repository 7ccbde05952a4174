/** Digests of the nodes of a tree, computed when first asked for. Wire facts E4.1–E4.6. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type { Digest } from '../../util/digest.js';
import { goModeOf } from '../../util/gofs/mode.js';
import { deviceMajor, deviceMinor } from '../../util/linux/nodes.js';
import { Scratch } from '../../util/scratch.js';
import { type TarsumStat, tarsumHeader } from '../../util/tarsum.js';
import type { LayerTree } from '../../util/tree/layer-tree.js';
import type { TreeNode } from '../../util/tree/tree-node.js';
import type { KnownDigests } from './known-digests.js';

const CHUNK = 1 << 20;
/** One per thread: what is read into it is hashed before anything else is read. */
const scratch = new Scratch();

export class TreeDigests {
  readonly tree: LayerTree;
  readonly #known: KnownDigests;
  readonly #checkpoint: () => void;

  /** `checkpoint` is called between files and may throw to stop. */
  constructor(tree: LayerTree, known: KnownDigests, checkpoint: () => void) {
    this.tree = tree;
    this.#known = known;
    this.#checkpoint = checkpoint;
  }

  /** What stands for the node among its siblings: a directory's contents, anything else's record. */
  of(node: TreeNode): Digest {
    return node.kind === 'dir' ? this.contents(node) : this.record(node);
  }

  /** A file with its content; of a directory only the header. */
  record(node: TreeNode): Digest {
    const { path } = node;
    const known = this.#known.get('record', path);
    if (known) return known;
    this.#checkpoint();
    const digest = this.#computeRecord(node);
    this.#known.set('record', path, digest);
    return digest;
  }

  contents(dir: TreeNode): Digest {
    const { path } = dir;
    const known = this.#known.get('contents', path);
    if (known) return known;
    const hash = createHash('sha256').update('\0').update(this.record(dir));
    for (const child of this.tree.children(dir)) hash.update(`\0${child.name}`).update(this.of(child));
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    this.#known.set('contents', path, digest);
    return digest;
  }

  #computeRecord(node: TreeNode): Digest {
    const hash = createHash('sha256').update(tarsumHeader(statForDigest(node)));
    const { size } = node.stat;
    if (node.kind === 'file' && size > 0) readContent(node.host, size, (data) => hash.update(data));
    return `sha256:${hash.digest('hex')}`;
  }
}

/** `expected` bytes, if nobody writes there; it is read to its end in any case. */
function readContent(host: string, expected: number, use: (data: Buffer) => void): void {
  const buffer = scratch.take(CHUNK);
  const fd = fs.openSync(host, 'r');
  try {
    for (let at = 0, size = -1; size !== 0; at += size) {
      size = fs.readSync(fd, buffer);
      use(buffer.subarray(0, size));
      // A file that is as long as it should be, with room left, is over: that spares the read that says so.
      if (size < buffer.length && at + size === expected) return;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Links read from disk always count as 0777 (E4.4), whatever the file system says. */
function statForDigest(node: TreeNode): TarsumStat {
  const { stat, kind } = node;
  const device = kind === 'charDevice' || kind === 'blockDevice';
  const symlink = kind === 'symlink';
  return {
    mode: goModeOf(symlink ? stat.mode | 0o777 : stat.mode),
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    linkname: symlink ? node.linkname : '',
    devmajor: device ? deviceMajor(stat.rdev) : 0,
    devminor: device ? deviceMinor(stat.rdev) : 0,
    xattrs: node.xattrs,
  };
}
