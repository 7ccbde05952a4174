import fs from 'node:fs';
import type { Mount } from '../../../../core/contracts/mount.js';
import type { SnapshotInfo, Snapshotter, SnapshotUsage } from '../../../../core/contracts/snapshotter.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { KeyLock } from '../../../../core/util/key-lock.js';
import { overlayOption } from '../mounts/overlay.js';
import type { FuseMarksArgs } from './fuse-marks.task.js';
import type { OverlaySettings } from './overlay-probe.js';
import { OverlaySnapshotter } from './overlay-snapshotter.js';
import type { SnapshotterHome } from './snapshotter-home.js';

const marksTask = new URL('./fuse-marks.task.js', import.meta.url);
const never = new AbortController().signal;

export const FUSE_OVERLAYFS = 'fuse-overlayfs';

/**
 * Overlayfs layers that are mounted by fuse-overlayfs. Its answers are those of overlayfs; who mounts them knows by which
 * of the two. Committed layers are in overlayfs' own terms: what the program wrote in its own is put right before.
 */
export class FuseOverlaySnapshotter implements Snapshotter {
  readonly name = FUSE_OVERLAYFS;
  readonly #layers: OverlaySnapshotter;
  readonly #threads: Threads;
  readonly #opaqueName: string;
  readonly #commits = new KeyLock<void>();

  private constructor(layers: OverlaySnapshotter, threads: Threads, opaqueName: string) {
    this.#layers = layers;
    this.#threads = threads;
    this.#opaqueName = opaqueName;
  }

  static async open(
    home: SnapshotterHome,
    { opaqueName }: Pick<OverlaySettings, 'opaqueName'>,
  ): Promise<FuseOverlaySnapshotter> {
    const layers = await OverlaySnapshotter.open(home, { options: [], opaqueName }, FUSE_OVERLAYFS);
    return new FuseOverlaySnapshotter(layers, home.threads, opaqueName);
  }

  prepare(key: string, parent: string | undefined): Promise<void> {
    return this.#layers.prepare(key, parent);
  }

  mounts(key: string): Promise<readonly Mount[]> {
    return this.#layers.mounts(key);
  }

  async commit(name: string, key: string): Promise<void> {
    await this.#commits.run(key, async () => {
      await this.#settleMarks(key);
      await this.#layers.commit(name, key);
    });
  }

  remove(key: string): Promise<void> {
    return this.#layers.remove(key);
  }

  removeAll(keys: readonly string[]): Promise<void> {
    return this.#layers.removeAll(keys);
  }

  stat(key: string): Promise<SnapshotInfo | undefined> {
    return this.#layers.stat(key);
  }

  usage(key: string, signal: AbortSignal): Promise<SnapshotUsage> {
    return this.#layers.usage(key, signal);
  }

  list(): Promise<readonly SnapshotInfo[]> {
    return this.#layers.list();
  }

  async #settleMarks(key: string): Promise<void> {
    if ((await this.stat(key))?.kind !== 'active') return;
    const [mount] = await this.mounts(key);
    const [work, dir] = ['workdir', 'upperdir'].map((name) => overlayOption(mount?.options ?? [], name));
    // The program makes a folder in its work directory: without it, only file ops have written here.
    if (dir === undefined || !fs.existsSync(`${work}/work`)) return;
    const args: FuseMarksArgs = { dir, opaqueName: this.#opaqueName };
    await this.#threads.run(marksTask, args, { signal: never });
  }
}
