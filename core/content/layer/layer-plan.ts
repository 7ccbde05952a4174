/**
 * Plans the tar of a layer from changes. Wire facts E7.3; BuildKit: containerd archive ChangeWriter.
 *
 * 1. Parents come before what changed below them, also when they did not change themselves.
 * 2. Hard links: two names are one inode of the image if they are one inode in one layer directory. That holds
 *    because nobody links an inode into a layer twice (core/util/tree/file-placer.ts) and links between
 *    different layers are never looked at; overlayfs gives each copied-up file an inode of its own. So the first name
 *    of such an inode is the file, the others are tar links to it, and the number of links that an inode has outside
 *    this layer plays no part.
 * 3. Of the extended attributes only `security.capability` is kept. Times are whole seconds. Sockets are left out.
 */
import { deviceMajor, deviceMinor } from '../../util/linux/nodes.js';
import type { TarHeader, TarType } from '../../util/tar/header.js';
import type { NodeKind, TreeNode } from '../../util/tree/tree-node.js';
import type { Change } from './changes.js';
import type { PlanItem } from './tar-plan.js';

export interface LayerPlanOptions {
  /** Seconds; later times become this one. */
  readonly sourceDateEpoch: number | undefined;
}

export function planLayer(changes: Iterable<Change>, options: LayerPlanOptions): readonly PlanItem[] {
  const planner = new LayerPlanner(options);
  for (const change of changes) planner.add(change);
  return planner.finish();
}

class LayerPlanner {
  readonly #options: LayerPlanOptions;
  readonly #items: PlanItem[] = [];
  readonly #dirs = new Set<TreeNode>();
  /** Inode -> the name it was written under. */
  readonly #files = new Map<string, string>();

  constructor(options: LayerPlanOptions) {
    this.#options = options;
  }

  add(change: Change): void {
    switch (change.kind) {
      case 'put':
        this.#put(change.node);
        return;
      case 'delete':
        this.#includeDir(change.parent);
        this.#items.push({ kind: 'whiteout', name: `${nameOf(change.parent)}.wh.${change.name}` });
        return;
      default:
        change satisfies never;
    }
  }

  finish(): readonly PlanItem[] {
    return [...this.#items, { kind: 'end' }];
  }

  #put(node: TreeNode): void {
    if (node.kind === 'socket') return;
    if (node.kind === 'dir') {
      this.#includeDir(node);
      return;
    }
    this.#includeDir(node.parent!);
    const inode = inodeOf(node);
    const earlier = inode && this.#files.get(inode);
    if (earlier) {
      this.#pushLink(node, earlier);
      return;
    }
    this.#push(node);
    if (inode) this.#files.set(inode, nameOf(node));
  }

  #includeDir(dir: TreeNode): void {
    if (!dir.parent || this.#dirs.has(dir)) return;
    this.#includeDir(dir.parent);
    this.#dirs.add(dir);
    this.#push(dir);
  }

  #push(node: TreeNode): void {
    this.#items.push({
      kind: 'entry',
      header: headerOf(node, nameOf(node), this.#options.sourceDateEpoch),
      host: node.host,
    });
  }

  #pushLink(node: TreeNode, target: string): void {
    const header = headerOf(node, nameOf(node), this.#options.sourceDateEpoch);
    this.#items.push({
      kind: 'entry',
      header: { ...header, type: 'link', linkname: target, size: 0 },
      host: node.host,
    });
  }
}

const inodeOf = (node: TreeNode): string | undefined =>
  node.stat.nlink > 1 ? `${node.layer}:${node.stat.dev}:${node.stat.ino}` : undefined;

/** Path in the archive: no leading slash, directories end in one. The root is the empty name. */
function nameOf(node: TreeNode): string {
  const path = node.path.slice(1);
  return node.kind === 'dir' && path !== '' ? `${path}/` : path;
}

const types: Readonly<Record<Exclude<NodeKind, 'socket'>, TarType>> = {
  file: 'file',
  dir: 'dir',
  symlink: 'symlink',
  charDevice: 'charDevice',
  blockDevice: 'blockDevice',
  fifo: 'fifo',
};

/** A node as a tar entry under any name. */
export function headerOf(node: TreeNode, name: string, sourceDateEpoch: number | undefined): TarHeader {
  const { stat, kind } = node;
  if (kind === 'socket') throw new Error(`${node.path} is a socket`);
  const device = kind === 'charDevice' || kind === 'blockDevice';
  const capability = kind === 'file' ? node.xattrs['security.capability'] : undefined;
  return {
    name,
    type: types[kind],
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: kind === 'file' ? stat.size : 0,
    mtime: clampTime(stat.mtimeNs, sourceDateEpoch),
    linkname: kind === 'symlink' ? node.linkname : '',
    devmajor: device ? deviceMajor(stat.rdev) : 0,
    devminor: device ? deviceMinor(stat.rdev) : 0,
    xattrs: capability ? { 'security.capability': capability } : {},
  };
}

/** Whole seconds, cut towards the past as Go's Truncate does for times after 1970. */
function clampTime(mtimeNs: bigint, sourceDateEpoch: number | undefined): bigint {
  const seconds = mtimeNs / 1_000_000_000n;
  if (sourceDateEpoch === undefined) return seconds;
  const limit = BigInt(sourceDateEpoch);
  return seconds > limit ? limit : seconds;
}
