import { setTimes } from '../util/linux/times.js';
import type { LayerWriter } from '../util/tree/layer-writer.js';
import { type Owner, setOwner } from '../util/tree/metadata.js';
import type { TreeNode } from '../util/tree/tree-node.js';
import { notDirectory } from './errors.js';

export interface NewDirOptions {
  readonly mode: number;
  readonly owner: Owner | undefined;
  /** Nanoseconds; undefined leaves the present time. */
  readonly time: bigint | undefined;
}

/**
 * Makes `path`, which is free of links as far as it exists, with all its parents, and answers it. Directories
 * that were made are added to `created`: whoever writes below them has to set their times again afterwards.
 */
export function makeDirs(
  writer: LayerWriter,
  path: string,
  options: NewDirOptions,
  created: TreeNode[] = [],
): TreeNode {
  let dir = writer.tree.root;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const existing = writer.tree.child(dir, name);
    if (existing && existing.kind !== 'dir') throw notDirectory('mkdir', existing.path);
    dir = existing ?? makeDir(writer, dir, name, options);
    if (!existing) created.push(dir);
  }
  return dir;
}

export function makeDir(
  writer: LayerWriter,
  parent: TreeNode,
  name: string,
  options: NewDirOptions,
): TreeNode {
  const dir = writer.mkdir(parent, name, options.mode & 0o777);
  if (options.owner) setOwner(dir.host, options.owner);
  if (options.time !== undefined) setTimes(dir.host, options.time, options.time);
  return dir;
}

/** Deepest first, since setting a time does not touch the parent but writing did. */
export function restoreTimes(created: readonly TreeNode[], time: bigint | undefined): void {
  if (time === undefined) return;
  for (const dir of created) setTimes(dir.host, time, time);
}
