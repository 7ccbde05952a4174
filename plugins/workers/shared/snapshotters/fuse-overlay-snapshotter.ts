import fs from 'node:fs';
import type { FuseMarksArgs } from './fuse-marks.task.js';
import type { OverlaySettings } from './overlay-probe.js';
import { OverlaySnapshotter } from './overlay-snapshotter.js';
import type { SnapshotterHome } from './snapshotter-home.js';

const marksTask = new URL('./fuse-marks.task.js', import.meta.url);
const never = new AbortController().signal;

export const FUSE_OVERLAYFS = 'fuse-overlayfs';

/**
 * Overlayfs layers that are mounted by fuse-overlayfs: who mounts them knows by the name which of the two it is. Committed
 * layers are in overlayfs' own terms; what the program wrote in its own is put right before.
 */
export function openFuseOverlays(
  home: SnapshotterHome,
  { opaqueName }: Pick<OverlaySettings, 'opaqueName'>,
): Promise<OverlaySnapshotter> {
  return OverlaySnapshotter.open(
    home,
    { options: [], opaqueName },
    {
      name: FUSE_OVERLAYFS,
      async settle({ upper, work }) {
        // The program makes a folder in its work directory: without it, only file ops have written here.
        if (!fs.existsSync(`${work}/work`)) return;
        const args: FuseMarksArgs = { dir: upper, opaqueName };
        await home.threads.run(marksTask, args, { signal: never });
      },
    },
  );
}
