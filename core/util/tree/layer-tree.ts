/**
 * The merged view of a stack of layer directories, as overlayfs would show it, read without a mount. Calls are
 * synchronous: this is for worker threads.
 *
 * 1. A character device 0/0 hides everything below it, an opaque directory everything below its own content.
 * 2. A directory merges with the directories below it until something that is no directory ends the stack.
 * 3. What was looked up once is kept: a tree is for one task over layers that nobody else changes meanwhile.
 */
import fs from 'node:fs';
import { isWhiteout } from '../linux/nodes.js';
import { type DirPart, isOpaque, type NodeKind, type NodeStat, statOf, TreeNode } from './tree-node.js';

export class LayerTree {
  readonly root: TreeNode;
  readonly #lowest: number;

  /** `layers` topmost first; none is an empty tree. */
  constructor(layers: readonly string[]) {
    const parts = layers.map((host, layer) => ({ layer, host }));
    this.root =
      parts.length > 0
        ? new TreeNode('', undefined, 'dir', parts)
        : new TreeNode('', undefined, 'dir', [], scratchRoot);
    this.#lowest = layers.length - 1;
  }

  /** The child of a directory, or undefined. */
  child(dir: TreeNode, name: string): TreeNode | undefined {
    if (dir.kind !== 'dir') return undefined;
    if (dir.complete || dir.known.has(name)) return dir.known.get(name);
    const found = this.#look(dir, dir.parts, name);
    dir.known.set(name, found);
    return found;
  }

  /** What the child would be without the top layer. */
  childBelow(dir: TreeNode, name: string): TreeNode | undefined {
    return this.#look(
      dir,
      dir.parts.filter((part) => part.layer > 0),
      name,
    );
  }

  /** All children in the order of their names' bytes. */
  children(dir: TreeNode): readonly TreeNode[] {
    if (!dir.complete) this.#list(dir);
    const present: TreeNode[] = [];
    for (const node of dir.known.values()) if (node) present.push(node);
    return sortByName(present);
  }

  #look(dir: TreeNode, among: readonly DirPart[], name: string): TreeNode | undefined {
    let topStat: NodeStat | undefined;
    const parts: DirPart[] = [];
    for (const part of among) {
      const host = `${part.host}/${name}`;
      const raw = fs.lstatSync(host, { bigint: true, throwIfNoEntry: false });
      if (!raw) continue;
      if (isWhiteout(raw)) break;
      if (!raw.isDirectory()) {
        if (!topStat) return new TreeNode(name, dir, kindOf(raw), [{ layer: part.layer, host }], statOf(raw));
        break;
      }
      topStat ??= statOf(raw);
      parts.push({ layer: part.layer, host });
      if (part.layer < this.#lowest && isOpaque(host)) break;
    }
    return topStat && new TreeNode(name, dir, 'dir', parts, topStat);
  }

  #list(dir: TreeNode): void {
    const merging = new Map<string, Merging>();
    for (const part of dir.parts) {
      for (const entry of fs.readdirSync(part.host, { withFileTypes: true })) {
        this.#merge(merging, part, entry);
      }
    }
    // Nodes that exist already stay the same objects: callers hold them.
    for (const [name, { kind, parts }] of merging) {
      if (dir.known.has(name)) continue;
      dir.known.set(name, kind === undefined ? undefined : new TreeNode(name, dir, kind, parts));
    }
    dir.complete = true;
  }

  #merge(merging: Map<string, Merging>, part: DirPart, entry: fs.Dirent): void {
    const { name } = entry;
    if (name.includes('\uFFFD')) refuseBytes(part.host, name);
    const host = `${part.host}/${name}`;
    const seen = merging.get(name);
    if (!seen) {
      const hidden = entry.isCharacterDevice() && isWhiteout(fs.lstatSync(host, { bigint: true }));
      merging.set(name, {
        kind: hidden ? undefined : kindOf(entry),
        parts: [{ layer: part.layer, host }],
        closed: !entry.isDirectory(),
      });
      return;
    }
    if (seen.closed) return;
    // Opaqueness matters only once something below has the same name, which spares most look-ups.
    if (!entry.isDirectory() || isOpaque(seen.parts.at(-1)!.host)) seen.closed = true;
    else seen.parts.push({ layer: part.layer, host });
  }
}

interface Merging {
  readonly kind: NodeKind | undefined;
  readonly parts: DirPart[];
  /** Nothing lower can be seen. */
  closed: boolean;
}

const scratchRoot: NodeStat = {
  mode: 0o040755,
  uid: 0,
  gid: 0,
  size: 0,
  nlink: 2,
  ino: 0,
  dev: 0,
  rdev: 0n,
  mtimeNs: 0n,
  atimeNs: 0n,
};

type Typed = Pick<
  fs.Dirent,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isCharacterDevice' | 'isBlockDevice' | 'isFIFO'
>;

export function kindOf(entry: Typed): NodeKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'dir';
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isCharacterDevice()) return 'charDevice';
  if (entry.isBlockDevice()) return 'blockDevice';
  return entry.isFIFO() ? 'fifo' : 'socket';
}

/** JavaScript orders UTF-16 units; that is the order of UTF-8 bytes up to the surrogates. */
export function sortByName(nodes: TreeNode[]): readonly TreeNode[] {
  if (nodes.some(({ name }) => beyondSurrogates.test(name))) {
    return nodes.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }
  return nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
}
const beyondSurrogates = /[\uD800-\uFFFF]/;

/** Node replaces bytes that are no UTF-8 by U+FFFD; such a path could not be opened again. */
export function refuseBytes(dir: string, name: string): void {
  if (fs.existsSync(`${dir}/${name}`)) return;
  throw new Error(`file name ${JSON.stringify(name)} in ${dir} is not UTF-8, which is not supported`);
}
