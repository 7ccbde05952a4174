/**
 * One path of a merged tree. A node is cheap: stat, extended attributes and link target are read when first asked
 * for, and only the directories that hold parts of it are known.
 */
import fs from 'node:fs';
import { getXattr, listXattrs } from '../linux/xattr.js';
import { isOverlayXattr } from './metadata.js';

export type NodeKind = 'file' | 'dir' | 'symlink' | 'charDevice' | 'blockDevice' | 'fifo' | 'socket';

/** Numbers as Node's bigint stat has them, in the types they are used in. */
export interface NodeStat {
  /** st_mode, type bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: number;
  readonly dev: number;
  readonly rdev: bigint;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
}

/** One layer's directory of a merged directory. */
export interface DirPart {
  /** Index in the stack, 0 is the top. */
  readonly layer: number;
  readonly host: string;
}

export class TreeNode {
  readonly name: string;
  readonly parent: TreeNode | undefined;
  readonly kind: NodeKind;
  #parts: readonly DirPart[];
  #stat: NodeStat | undefined;
  #xattrs: Readonly<Record<string, Uint8Array>> | undefined;
  /** Children looked up so far; undefined marks one that does not exist. */
  readonly known = new Map<string, TreeNode | undefined>();
  /** Every child is in `known`. */
  complete = false;

  /** `parts` holds where it lies, topmost first: several places for a merged directory, one for all else. */
  constructor(
    name: string,
    parent: TreeNode | undefined,
    kind: NodeKind,
    parts: readonly DirPart[],
    stat?: NodeStat,
  ) {
    this.name = name;
    this.parent = parent;
    this.kind = kind;
    this.#parts = parts;
    this.#stat = stat;
  }

  get parts(): readonly DirPart[] {
    return this.#parts;
  }

  /** Where it really lies, for the system calls. */
  get host(): string {
    return this.#parts[0]!.host;
  }

  /** The layer it comes from; a merged directory has its metadata from the topmost. */
  get layer(): number {
    return this.#parts[0]!.layer;
  }

  /** Absolute path inside the tree. */
  get path(): string {
    const above = this.parent?.path;
    return above === undefined ? '/' : above === '/' ? `/${this.name}` : `${above}/${this.name}`;
  }

  get stat(): NodeStat {
    this.#stat ??= statOf(fs.lstatSync(this.host, { bigint: true }));
    return this.#stat;
  }

  /** Without overlayfs' own bookkeeping, which is no part of the tree. */
  get xattrs(): Readonly<Record<string, Uint8Array>> {
    this.#xattrs ??= readXattrs(this.host);
    return this.#xattrs;
  }

  get linkname(): string {
    return fs.readlinkSync(this.host);
  }

  /** The writer put (a copy of) this directory into a higher layer, or changed its metadata there. */
  promote(part: DirPart): void {
    if (this.#parts[0]?.host !== part.host) this.#parts = [part, ...this.#parts];
    this.#stat = undefined;
    this.#xattrs = undefined;
  }
}

export function statOf(stat: fs.BigIntStats): NodeStat {
  return {
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    nlink: Number(stat.nlink),
    ino: Number(stat.ino),
    dev: Number(stat.dev),
    rdev: stat.rdev,
    mtimeNs: stat.mtimeNs,
    atimeNs: stat.atimeNs,
  };
}

function readXattrs(host: string): Readonly<Record<string, Uint8Array>> {
  const all = listXattrs(host);
  // Such a file has its data in another layer; nobody here mounts with `metacopy=on`.
  if (all.some((name) => name.endsWith('.overlay.metacopy'))) {
    throw new Error(`${host} holds metadata only (overlayfs metacopy), which is not supported`);
  }
  const names = all.filter((name) => !isOverlayXattr(name));
  if (names.length === 0) return noXattrs;
  const entries = names.map((name) => [name, getXattr(host, name)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, Uint8Array] => entry[1] !== undefined));
}
const noXattrs: Readonly<Record<string, Uint8Array>> = {};

const opaqueNames = new Set(['trusted.overlay.opaque', 'user.overlay.opaque', 'user.fuseoverlayfs.opaque']);

/** Whether a directory hides what lower layers have under its name. */
export function isOpaque(host: string): boolean {
  return listXattrs(host).some(
    (name) => opaqueNames.has(name) && Buffer.from(getXattr(host, name) ?? []).toString() === 'y',
  );
}
