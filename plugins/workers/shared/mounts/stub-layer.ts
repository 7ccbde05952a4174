/**
 * A layer with nothing but the mount points that every step has. Put below the lowest layer of a root overlay, it
 * makes them exist without a change to the step's own layer: no copy-up of /etc, nothing to take away afterwards.
 *
 * It lies on disk, on the file system of the other layers: overlayfs gives files stable inode numbers and one device
 * number only while all its layers share one.
 */
import fs from 'node:fs';
import type { Mount } from '../../../../core/contracts/mount.js';
import { overlayOption } from './overlay.js';

export class StubLayer {
  readonly #dir: string;
  readonly #device: number;

  /** Makes empty files at `paths` (absolute) in `dir`, unless an earlier start has. */
  constructor(dir: string, paths: readonly string[]) {
    for (const path of paths) {
      const file = dir + path;
      fs.mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true, mode: 0o755 });
      fs.closeSync(fs.openSync(file, 'a', 0o644));
    }
    this.#dir = dir;
    this.#device = fs.statSync(dir).dev;
  }

  /** The same tree on top of this layer; as it was, where that is not possible. */
  below(mounts: readonly Mount[]): readonly Mount[] {
    return mounts.map((mount) => {
      const lower = mount.type === 'overlay' ? overlayOption(mount.options, 'lowerdir') : undefined;
      if (lower === undefined || !this.#sharesDevice(lower)) return mount;
      const options = mount.options.map((option) =>
        option.startsWith('lowerdir=') ? `${option}:${this.#dir}` : option,
      );
      return { ...mount, options };
    });
  }

  #sharesDevice(lower: string): boolean {
    return fs.statSync(lower.slice(lower.lastIndexOf(':') + 1)).dev === this.#device;
  }
}
