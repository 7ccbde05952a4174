import type { Mount } from '../../../../core/contracts/mount.js';
import { mountOverlay, unmountOverlay } from './overlay.js';

/** An overlay that somebody has mounted. */
export interface MountedOverlay {
  /** Takes the mount away; resolves when all that was written through it lies in the upper directory. */
  release(): Promise<void>;
}

/** Who makes overlays. Whoever mounts waits for nothing: a container is begun whole or not at all. */
export interface OverlayDriver {
  mount(overlay: Mount, target: string): MountedOverlay;
}

export const kernelOverlays: OverlayDriver = {
  mount(overlay, target) {
    mountOverlay(overlay, target);
    return { release: async () => unmountOverlay(overlay, target) };
  },
};
