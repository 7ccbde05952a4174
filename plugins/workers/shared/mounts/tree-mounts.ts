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
import { overlayOption } from './overlay.js';
import { kernelOverlays, type MountedOverlay, type OverlayDriver } from './overlay-driver.js';

export interface MountedTree extends AsyncDisposable {
  /** A directory or, for a bind mount of one, a file or socket. */
  readonly path: string;
  readonly writable: boolean;
}

interface SharedMount {
  readonly target: string;
  readonly mounted: MountedOverlay;
  users: number;
}

export class TreeMounts {
  readonly #scratch: string;
  readonly #locked: boolean;
  readonly #overlays: OverlayDriver;
  readonly #shared = new Map<string, SharedMount>();
  #made = 0;

  /** `scratch` is a folder of this object's own, for mount points; `locked`: mounts of the host cannot be told apart. */
  constructor(
    scratch: string,
    { locked = false, overlays = kernelOverlays }: { locked?: boolean; overlays?: OverlayDriver } = {},
  ) {
    this.#scratch = scratch;
    this.#locked = locked;
    this.#overlays = overlays;
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
    const mounted = this.#overlays.mount(withUpper(mounts[0], tree.path, dir), merged);
    const release = once(async () => {
      await mounted.release();
      fs.rmSync(dir, { recursive: true, force: true });
    });
    return { path: merged, writable: true, [Symbol.asyncDispose]: release };
  }

  #bind(bind: Mount): MountedTree {
    const tree = { path: bind.source, writable: isWritable(bind), async [Symbol.asyncDispose]() {} };
    if (bind.source !== '/') return tree;
    // No runtime takes the host's own root folder. What is mounted in it would be in the way of the container's own,
    // but a user namespace may not look below mounts that it was born with: there they come along.
    const path = this.#makePoint();
    mount('/', path, '', this.#locked ? mountFlags.rbind : mountFlags.bind);
    return { ...tree, path, [Symbol.asyncDispose]: this.#unmounting(path) };
  }

  #overlay(overlay: Mount): MountedTree {
    const upper = overlayOption(overlay.options, 'upperdir');
    const key = upper ?? overlay.options.join();
    const shared = this.#shared.get(key) ?? this.#mountNew(overlay);
    this.#shared.set(key, shared);
    shared.users++;
    const release = once(async () => {
      if (--shared.users > 0) return;
      this.#shared.delete(key);
      await shared.mounted.release();
      fs.rmdirSync(shared.target);
    });
    return {
      path: shared.target,
      writable: upper !== undefined && isWritable(overlay),
      [Symbol.asyncDispose]: release,
    };
  }

  #mountNew(overlay: Mount): SharedMount {
    const target = this.#makePoint();
    return { target, mounted: this.#overlays.mount(overlay, target), users: 0 };
  }

  #tmpfs(tmpfs: Mount): MountedTree {
    const path = this.#makePoint();
    const { flags, data } = parseMountOptions(tmpfs.options);
    mount('tmpfs', path, 'tmpfs', flags, data);
    return { path, writable: isWritable(tmpfs), [Symbol.asyncDispose]: this.#unmounting(path) };
  }

  #unmounting(path: string): () => Promise<void> {
    return once(async () => {
      unmount(path, { detach: true });
      fs.rmdirSync(path);
    });
  }

  #empty(): MountedTree {
    const path = this.#makePoint();
    return { path, writable: false, [Symbol.asyncDispose]: once(async () => fs.rmdirSync(path)) };
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

function once(release: () => Promise<void>): () => Promise<void> {
  let released: Promise<void> | undefined;
  return () => {
    released ??= release();
    return released;
  };
}
