/**
 * Unpacks one image layer into the top directory of a stack.
 *
 * 1. Paths and links are resolved inside the top directory alone, whatever lies below: what a layer writes does not
 *    depend on the layers under it. A directory that the layer does not list but needs looks like the one below.
 * 2. `.wh.<name>` becomes a whiteout and `.wh..wh..opq` an opaque directory. Where nothing is below (a stack of one
 *    directory holds the whole tree) they delete right away, an opaque mark what the layer itself did not bring.
 * 3. Other `.wh..wh.` names are other tools' bookkeeping and are left out.
 * BuildKit: containerd archive Apply and its overlayfs conversion.
 */
import fs from 'node:fs';
import { dirOf, rootedPath } from '../../util/gofs/path.js';
import { makeWhiteout } from '../../util/linux/nodes.js';
import type { TarHeader } from '../../util/tar/header.js';
import type { TarHandler } from '../../util/tar/tar-reader.js';
import { LayerTree } from '../../util/tree/layer-tree.js';
import { LayerWriter, markOpaque } from '../../util/tree/layer-writer.js';
import { setMetadata } from '../../util/tree/metadata.js';
import { resolvePath } from '../../util/tree/resolve.js';
import { TarExtractor } from '../../util/tree/tar-extractor.js';
import type { TreeNode } from '../../util/tree/tree-node.js';

const WHITEOUT = '.wh.';
const META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

export class LayerUnpacker implements TarHandler {
  readonly #top: LayerWriter;
  readonly #below: LayerTree | undefined;
  readonly #extractor: TarExtractor;
  /** Paths that this layer brought, for rule 2. */
  readonly #brought = new Set<string>();

  constructor(layers: readonly string[]) {
    this.#top = new LayerWriter(layers.slice(0, 1));
    this.#below = layers.length > 1 ? new LayerTree(layers.slice(1)) : undefined;
    this.#extractor = new TarExtractor(this.#top, this.#top.tree.root, {
      owner: undefined,
      implied: { mode: 0o755, owner: undefined },
      onImplied: (dir) => this.#likeBelow(dir),
      intercept: (header, parent, name) => this.#intercept(header, parent, name),
    });
  }

  entry(header: TarHeader): void {
    this.#extractor.entry(header);
  }

  data(chunk: Uint8Array): void {
    this.#extractor.data(chunk);
  }

  entryEnd(): void {
    this.#extractor.entryEnd();
  }

  finish(): void {
    this.#extractor.finish();
  }

  /** Lets go of what a failure left open. */
  close(): void {
    this.#extractor.abandon();
  }

  #intercept(header: TarHeader, parent: TreeNode, name: string): boolean {
    if (name === OPAQUE) {
      this.#makeOpaque(parent);
      return true;
    }
    if (name.startsWith(META)) return true;
    if (name.startsWith(WHITEOUT)) {
      this.#delete(header, parent, name.slice(WHITEOUT.length));
      return true;
    }
    if (!this.#below) this.#remember(parent, name);
    return false;
  }

  #remember(parent: TreeNode, name: string): void {
    for (let path = rootedPath(`${parent.path}/${name}`); path !== '/'; path = dirOf(path)) {
      if (this.#brought.has(path)) return;
      this.#brought.add(path);
    }
  }

  #delete(header: TarHeader, parent: TreeNode, name: string): void {
    if (name === '' || name === '.' || name === '..') {
      throw new Error(`${header.name} would delete ${parent.path} itself`);
    }
    const existing = this.#top.tree.child(parent, name);
    if (existing) this.#extractor.remove(existing);
    if (!this.#below) return;
    const host = `${this.#top.own(parent)}/${name}`;
    if (!fs.lstatSync(host, { throwIfNoEntry: false })) makeWhiteout(host);
  }

  #makeOpaque(dir: TreeNode): void {
    if (this.#below) {
      if (dir.parent) markOpaque(dir.host);
      else for (const child of this.#below.children(this.#below.root)) this.#hide(dir, child.name);
    } else this.#removeOthers(dir);
  }

  /** overlayfs knows no opaque root: everything below it is deleted by name. */
  #hide(root: TreeNode, name: string): void {
    if (!this.#top.tree.child(root, name)) makeWhiteout(`${root.host}/${name}`);
  }

  #removeOthers(dir: TreeNode): void {
    for (const child of this.#top.tree.children(dir)) {
      if (!this.#brought.has(child.path)) this.#extractor.remove(child);
      else if (child.kind === 'dir') this.#removeOthers(child);
    }
  }

  #likeBelow(dir: TreeNode): void {
    if (!this.#below) return;
    const { node } = resolvePath(this.#below, dir.path, { followLast: true });
    if (node?.kind === 'dir') setMetadata(dir.host, { ...node.stat, symlink: false, xattrs: node.xattrs });
  }
}
