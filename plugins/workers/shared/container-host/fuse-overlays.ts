import type { Mount } from '../../../../core/contracts/mount.js';
import type { SpawnOptions } from '../../../../core/util/linux/spawn.js';
import { FuseMount, type FuseProgram } from '../mounts/fuse-mount.js';
import type { MountedOverlay, OverlayDriver } from '../mounts/overlay-driver.js';
import { FuseChild } from './fuse-child.js';
import { Child } from './host-program.js';
import type { OuterNamespace } from './namespace.js';

/** Overlays of the thread of a host, served by programs that live outside of its mount namespace. */
export class FuseOverlays implements OverlayDriver {
  readonly #program: string;
  readonly #logs: string;
  readonly #outside: OuterNamespace;
  #made = 0;

  /** `logs` is a folder for what the programs complain about. */
  constructor(program: string, logs: string, outside: OuterNamespace) {
    this.#program = program;
    this.#logs = logs;
    this.#outside = outside;
  }

  mount(overlay: Mount, target: string): MountedOverlay {
    const log = `${this.#logs}/fuse-overlayfs-${++this.#made}`;
    const spawn = (path: string, options: SpawnOptions): FuseProgram =>
      new FuseChild(this.#outside.within(() => new Child(path, options)));
    return new FuseMount(this.#program, overlay, { target, log }, spawn);
  }
}
