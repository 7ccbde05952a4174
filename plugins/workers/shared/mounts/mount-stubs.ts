/**
 * Mount points inside a root tree. Those that are missing are made before the run and taken away afterwards, so that
 * the layer does not show that something was mounted (wire facts E13.4).
 *
 * 1. Only what is still an empty file or directory is removed: what the step put there instead stays.
 * 2. A parent's times go back to what they were before the stub, unless the step itself changed the directory.
 * 3. Parents made on the way stay, unless `recursive`: BuildKit's removeMountStubsRecursive.
 */
import fs from 'node:fs';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { setTimes } from '../../../../core/util/linux/times.js';
import { hostPath, resolveInRoot } from './resolve-in-root.js';

export interface MountPoint {
  /** Absolute and clean. */
  readonly path: string;
  readonly kind: 'file' | 'directory';
}

interface DirectoryTimes {
  readonly atime: bigint;
  readonly before: bigint;
  /** Modification time right after the last stub was made in it. */
  after: bigint;
}

export class MountStubs {
  readonly #root: string;
  readonly #recursive: boolean;
  /** To be removed, children before their parents. */
  readonly #made: string[] = [];
  readonly #times = new Map<string, DirectoryTimes>();

  constructor(root: string, recursive: boolean) {
    this.#root = root;
    this.#recursive = recursive;
  }

  /** Whether every mount point is there already, so that nothing has to be written. */
  static allExist(root: string, points: readonly MountPoint[]): boolean {
    return points.every(({ path }) => resolveInRoot(root, path).exists);
  }

  make({ path, kind }: MountPoint): void {
    const resolved = resolveInRoot(this.#root, path);
    if (resolved.exists) return;
    const parents = this.#makeParents(parentOf(resolved.path));
    this.#inParent(resolved.path, (target) => {
      if (kind === 'directory') fs.mkdirSync(target, { mode: 0o755 });
      else fs.closeSync(fs.openSync(target, 'wx', 0o644));
    });
    this.#made.unshift(resolved.path, ...(this.#recursive ? parents : []));
  }

  /** Takes away what is still a stub. The tree must still be there as it was run. */
  remove(): void {
    for (const path of this.#made.splice(0)) this.#removeOne(path);
  }

  /** The directories that had to be made, the deepest first. */
  #makeParents(path: string): string[] {
    if (resolveInRoot(this.#root, path).exists) return [];
    const above = this.#makeParents(parentOf(path));
    this.#inParent(path, (target) => fs.mkdirSync(target, { mode: 0o755 }));
    return [path, ...above];
  }

  #inParent(path: string, make: (target: string) => void): void {
    const parent = hostPath(this.#root, parentOf(path));
    const { atimeNs: atime, mtimeNs: before } = fs.statSync(parent, { bigint: true });
    make(hostPath(this.#root, path));
    const after = fs.statSync(parent, { bigint: true }).mtimeNs;
    const known = this.#times.get(parent);
    if (known) known.after = after;
    else this.#times.set(parent, { atime, before, after });
  }

  #removeOne(path: string): void {
    // The step may have put a link in the way since.
    if (resolveInRoot(this.#root, parentOf(path)).path !== parentOf(path)) return;
    const target = hostPath(this.#root, path);
    const parent = hostPath(this.#root, parentOf(path));
    try {
      const stub = fs.lstatSync(target);
      const { atimeNs, mtimeNs } = fs.statSync(parent, { bigint: true });
      if (stub.isDirectory()) fs.rmdirSync(target);
      else if (stub.isFile() && stub.size === 0) fs.unlinkSync(target);
      else return;
      const known = this.#times.get(parent);
      const untouched = known?.after === mtimeNs;
      setTimes(parent, untouched ? known.atime : atimeNs, untouched ? known.before : mtimeNs);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
