/**
 * Joins neighbouring layers of a chain into one directory that means the same, whatever lies above and below.
 *
 * 1. Files are hard-linked: layers are immutable, and so is what comes out. But an inode that two layers have names of is
 *    linked for the first of them only: two names in one directory would be a hard link of the image (docs/adr/0008).
 * 2. A whiteout stays only if there is something below to hide, and a directory becomes opaque where a layer of
 *    the window hid what is below it. A whiteout that hides nothing would show up in listings of a directory
 *    that has no counterpart below.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { isWhiteout } from '../../../../core/util/linux/nodes.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { setXattr } from '../../../../core/util/linux/xattr.js';
import { copyEntry } from './copy-entry.js';
import { copyMetadata, copyTimes, isOpaque } from './metadata.js';

export interface FlattenArgs {
  /** Topmost first. */
  readonly layers: readonly string[];
  /** What lies below the window, topmost first. */
  readonly below: readonly string[];
  /** An existing, empty directory. */
  readonly target: string;
  /** Name of the attribute that makes a directory opaque on this machine. */
  readonly opaqueName: string;
}

interface Flattening extends FlattenArgs {
  readonly context: ThreadContext;
  /** Inodes that have names in the target. */
  readonly linked: Set<bigint>;
  /** An inode of one layer, and where it is in the target. */
  readonly placed: Map<string, string>;
}

/** One directory of the result: its counterparts in the window, topmost first. */
interface Merge {
  readonly dirs: readonly string[];
  /** Something of the window lies under the last counterpart and is no directory. */
  readonly hides: boolean;
}

export default function flattenLayers(args: FlattenArgs, context: ThreadContext): void {
  const flattening = { ...args, context, linked: new Set<bigint>(), placed: new Map<string, string>() };
  mergeDirectory(flattening, '', { dirs: args.layers, hides: false }, true);
}

function mergeDirectory(all: Flattening, rel: string, { dirs, hides }: Merge, seesBelow: boolean): void {
  all.context.throwIfAborted();
  const target = path.join(all.target, rel);
  const stat = fs.lstatSync(dirs[0]!, { bigint: true });
  if (rel !== '') fs.mkdirSync(target, 0o700);
  const opaque = rel !== '' && (hides || isOpaque(dirs.at(-1)!));
  const below = seesBelow && !opaque;
  for (const [name, found] of entriesOf(dirs)) {
    const inner = path.join(rel, name);
    if (found.kind === 'dir') mergeDirectory(all, inner, found, below);
    else if (found.kind === 'other') linkEntry(all, found.path, path.join(all.target, inner));
    else if (below && existsIn(all.below, inner)) linkEntry(all, found.path, path.join(all.target, inner));
  }
  copyMetadata(dirs[0]!, target, stat);
  if (opaque && seesBelow && existsIn(all.below, rel)) setXattr(target, all.opaqueName, Buffer.from('y'));
  copyTimes(target, stat);
}

type Found =
  | ({ readonly kind: 'dir' } & Merge)
  | { readonly kind: 'other'; readonly path: string }
  | { readonly kind: 'whiteout'; readonly path: string };

/** What the union of `dirs` shows, by name. */
function entriesOf(dirs: readonly string[]): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  /** Directories that a lower layer may still add to. */
  const open = new Set<string>();
  for (const dir of dirs) {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      const at = path.join(dir, entry.name);
      const known = found.get(entry.name);
      if (!known) found.set(entry.name, first(at, entry, open));
      else if (known.kind === 'dir' && open.has(entry.name)) {
        found.set(entry.name, { kind: 'dir', ...continued(known, at, entry, open) });
      }
    }
  }
  return found;
}

function first(at: string, entry: fs.Dirent, open: Set<string>): Found {
  if (entry.isDirectory()) {
    if (!isOpaque(at)) open.add(entry.name);
    return { kind: 'dir', dirs: [at], hides: false };
  }
  const whiteout = entry.isCharacterDevice() && isWhiteout(fs.lstatSync(at));
  return { kind: whiteout ? 'whiteout' : 'other', path: at };
}

function continued(known: Merge, at: string, entry: fs.Dirent, open: Set<string>): Merge {
  if (!entry.isDirectory()) {
    open.delete(entry.name);
    return { dirs: known.dirs, hides: true };
  }
  if (isOpaque(at)) open.delete(entry.name);
  return { dirs: [...known.dirs, at], hides: false };
}

/** Rule 1. */
function linkEntry({ layers, linked, placed }: Flattening, from: string, to: string): void {
  const stat = fs.lstatSync(from, { bigint: true });
  const layer = layers.find((dir) => from.startsWith(`${dir}/`))!;
  const name = `${layer} ${stat.ino}`;
  const source = placed.get(name) ?? (linked.has(stat.ino) ? undefined : from);
  if (source === undefined || !tryLink(source, to)) copyEntry(from, to, stat);
  else if (source === from) linked.add(stat.ino);
  if (stat.nlink > 1n) placed.set(name, to);
}

function tryLink(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    // Too many names of one inode, or a file system without links.
    if (isErrno(error, 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) return false;
    throw error;
  }
}

function existsIn(layers: readonly string[], rel: string): boolean {
  return layers.some((layer) => exists(path.join(layer, rel)));
}

function exists(at: string): boolean {
  try {
    return fs.lstatSync(at, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) return false;
    throw error;
  }
}
