/**
 * Makes the changes of one tree in another, in its top layer.
 *
 * 1. A directory on the way to a change takes the metadata it has in the changed tree, also when only something below
 *    it was deleted: an exported layer lists its parents, and unpacking it must give the same tree.
 * 2. Directories merge; of any other two kinds the new one replaces the old with all below it.
 * 3. Deleting what is not there is nothing.
 * BuildKit: snapshot/diffapply_linux.go.
 */
import { mknod } from '../../util/linux/nodes.js';
import type { FilePlacer } from '../../util/tree/file-placer.js';
import type { LayerWriter } from '../../util/tree/layer-writer.js';
import { setMetadata } from '../../util/tree/metadata.js';
import type { TreeNode } from '../../util/tree/tree-node.js';
import type { Change } from './changes.js';

export class LayerReplay {
  readonly #writer: LayerWriter;
  readonly #placer: FilePlacer;
  /** Directories of the changed tree, in the order in which they were met: parents before their children. */
  readonly #dirs = new Map<TreeNode, TreeNode>();

  constructor(writer: LayerWriter, placer: FilePlacer) {
    this.#writer = writer;
    this.#placer = placer;
  }

  add(change: Change): void {
    switch (change.kind) {
      case 'put':
        if (change.node.kind === 'dir') this.#dir(change.node);
        else this.#put(change.node);
        return;
      case 'delete':
        this.#clear(this.#dir(change.parent), change.name, () => true);
        return;
      default:
        change satisfies never;
    }
  }

  /** Rule 1, once nothing is written below the directories any more. */
  finish(): void {
    for (const [source, target] of [...this.#dirs].reverse()) {
      this.#placer.finish(source, this.#writer.own(target));
    }
  }

  #put(source: TreeNode): void {
    const parent = this.#dir(source.parent!);
    this.#clear(parent, source.name, (existing) => existing.kind === 'dir');
    if (source.kind === 'socket') this.#putSocket(source, parent);
    else this.#placer.place(source, parent, source.name);
  }

  #putSocket(source: TreeNode, parent: TreeNode): void {
    const { stat, xattrs, name } = source;
    const host = this.#writer.place(parent, name, 'socket', (target) => mknod(target, stat.mode, 0n));
    setMetadata(host, { ...stat, symlink: false, xattrs });
  }

  #dir(source: TreeNode): TreeNode {
    if (!source.parent) return this.#writer.tree.root;
    const known = this.#dirs.get(source);
    if (known) return known;
    const parent = this.#dir(source.parent);
    this.#clear(parent, source.name, (existing) => existing.kind !== 'dir');
    const existing = this.#writer.tree.child(parent, source.name);
    const target = existing ?? this.#writer.mkdir(parent, source.name, source.stat.mode);
    this.#dirs.set(source, target);
    return target;
  }

  #clear(parent: TreeNode, name: string, unwanted: (existing: TreeNode) => boolean): void {
    const existing = this.#writer.tree.child(parent, name);
    if (existing && unwanted(existing)) this.#writer.remove(existing);
  }
}
