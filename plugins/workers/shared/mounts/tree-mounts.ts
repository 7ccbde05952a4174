/**
 * Mounts trees for containers, in the calling thread's mount namespace.
 *
 * 1. A tree that is one plain directory is used where it lies.
 * 2. An overlay is mounted once, however many containers use it: two overlays on one upper directory would corrupt
 *    it, and cache mounts are shared.
 * 3. What is mounted here is seen by this thread and by what it starts, and is gone with them.
 */
import fs from 'node:fs';
import { unsupported } from '../../../../core/contracts/errors.js';
import type { Mount } from '../../../../core/contracts/mount.js';
import { mount, mountFlags, parseMountOptions, unmount } from '../../../../core/util/linux/mount.js';
import { mountFlagsAt } from '../../../../core/util/linux/mount-flags.js';
import { mountOverlay, overlayOption, unmountOverlay } from './overlay.js';

export interface MountedTree extends Disposable {
  /** A directory or, for a bind mount of one, a file or socket. */
  readonly path: string;
  readonly writable: boolean;
}

interface SharedMount {
  readonly target: string;
  users: number;
}

export class TreeMounts {
  readonly #scratch: string;
  readonly #locked: boolean;
  readonly #shared = new Map<string, SharedMount>();
  #made = 0;

  /** `scratch` is a folder of this object's own, for mount points; `locked`: mounts of the host cannot be told apart. */
  constructor(scratch: string, locked = false) {
    this.#scratch = scratch;
    this.#locked = locked;
  }

  /** The tree that `mounts` describe; an empty list is an empty, read-only directory. */
  mount(mounts: readonly Mount[]): MountedTree {
    const [first, ...more] = mounts;
    if (more.length > 0) {
      throw unsupported('exec.mount', `a tree of ${mounts.length} mounts on top of each other`);
    }
    if (!first) return this.#empty();
    switch (first.type) {
      case 'bind':
        return this.#bind(first);
      case 'overlay':
        return this.#overlay(first);
      case 'tmpfs':
        return this.#tmpfs(first);
      default:
        return first.type satisfies never;
    }
  }

  /**
   * What a read-only bind mount of `path` must not lose. In a user namespace the kernel locks the flags of mounts that
   * were there before, and a runtime that clears them is refused. BuildKit: util/rootless/mountopts.
   */
  keptOptions(path: string): readonly string[] {
    return this.#locked ? mountFlagsAt(path) : [];
  }

  /** The same tree, to be written and to forget what was written. */
  writableCopy(tree: MountedTree, mounts: readonly Mount[]): MountedTree {
    const dir = this.#makePoint();
    for (const name of ['upper', 'work', 'merged']) fs.mkdirSync(`${dir}/${name}`, { mode: 0o755 });
    const merged = `${dir}/merged`;
    mountOverlay(withUpper(mounts[0], tree.path, dir), merged);
    const release = once(() => {
      unmount(merged, { detach: true });
      fs.rmSync(dir, { recursive: true, force: true });
    });
    return { path: merged, writable: true, [Symbol.dispose]: release };
  }

  #bind(bind: Mount): MountedTree {
    const tree = { path: bind.source, writable: isWritable(bind), [Symbol.dispose]() {} };
    if (bind.source !== '/') return tree;
    // No runtime takes the host's own root folder. What is mounted in it would be in the way of the container's own,
    // but a user namespace may not look below mounts that it was born with: there they come along.
    const path = this.#makePoint();
    mount('/', path, '', this.#locked ? mountFlags.rbind : mountFlags.bind);
    return { ...tree, path, [Symbol.dispose]: this.#unmounting(path) };
  }

  #overlay(overlay: Mount): MountedTree {
    const upper = overlayOption(overlay.options, 'upperdir');
    const key = upper ?? overlay.options.join();
    const shared = this.#shared.get(key) ?? { target: this.#mountAt(overlay), users: 0 };
    this.#shared.set(key, shared);
    shared.users++;
    const release = once(() => {
      if (--shared.users > 0) return;
      this.#shared.delete(key);
      unmountOverlay(overlay, shared.target);
      fs.rmdirSync(shared.target);
    });
    return {
      path: shared.target,
      writable: upper !== undefined && isWritable(overlay),
      [Symbol.dispose]: release,
    };
  }

  #mountAt(overlay: Mount): string {
    const target = this.#makePoint();
    mountOverlay(overlay, target);
    return target;
  }

  #tmpfs(tmpfs: Mount): MountedTree {
    const path = this.#makePoint();
    const { flags, data } = parseMountOptions(tmpfs.options);
    mount('tmpfs', path, 'tmpfs', flags, data);
    return { path, writable: isWritable(tmpfs), [Symbol.dispose]: this.#unmounting(path) };
  }

  #unmounting(path: string): () => void {
    return once(() => {
      unmount(path, { detach: true });
      fs.rmdirSync(path);
    });
  }

  #empty(): MountedTree {
    const path = this.#makePoint();
    return { path, writable: false, [Symbol.dispose]: once(() => fs.rmdirSync(path)) };
  }

  #makePoint(): string {
    const path = `${this.#scratch}/${++this.#made}`;
    fs.mkdirSync(path, { mode: 0o755 });
    return path;
  }
}

/** An overlay with a new layer in `dir` on top: of the same layers if it is one, else of the folder `path`. */
function withUpper(tree: Mount | undefined, path: string, dir: string): Mount {
  const upper = [`upperdir=${dir}/upper`, `workdir=${dir}/work`];
  if (tree?.type !== 'overlay') {
    return { type: 'overlay', source: 'overlay', options: [`lowerdir=${path}`, ...upper] };
  }
  const layers = ['upperdir', 'lowerdir'].flatMap((name) => overlayOption(tree.options, name) ?? []);
  const others = tree.options.filter((option) => !/^(upperdir|workdir|lowerdir)=|^r[ow]$/.test(option));
  return { ...tree, options: [...others, `lowerdir=${layers.join(':')}`, ...upper] };
}

const isWritable = (entry: Mount): boolean => !entry.options.includes('ro');

function once(release: () => void): () => void {
  let released = false;
  return () => {
    if (!released) release();
    released = true;
  };
}
