import path from 'node:path';
import { invalid } from '../../../../core/contracts/errors.js';
import { silentLogger } from '../../../../core/contracts/logger.js';
import type { Snapshotter } from '../../../../core/contracts/snapshotter.js';
import { NativeSnapshotter } from './native-snapshotter.js';
import { probeOverlay } from './overlay-probe.js';
import { OverlaySnapshotter } from './overlay-snapshotter.js';
import type { SnapshotterHome } from './snapshotter-home.js';

export type SnapshotterChoice = 'auto' | 'overlayfs' | 'native';

/**
 * Opens the snapshotter that fits the machine: overlayfs where it works, whole copies where not, with a warning that
 * says why. Asked for by name, a driver that does not work is an error.
 */
export async function chooseSnapshotter(
  home: SnapshotterHome,
  choice: SnapshotterChoice = 'auto',
): Promise<Snapshotter> {
  const native = (): Promise<Snapshotter> =>
    NativeSnapshotter.open({ ...home, dir: path.join(home.dir, 'native') });
  if (choice === 'native') return native();
  const dir = path.join(home.dir, 'overlayfs');
  const probe = await probeOverlay(dir);
  if (probe.works) return OverlaySnapshotter.open({ ...home, dir }, probe.settings);
  if (choice === 'overlayfs') {
    throw invalid('snapshot.no-overlayfs', `overlayfs does not work in ${home.dir}: ${probe.why}`, {
      hint: 'Set the snapshotter to auto or native, or choose another root folder.',
    });
  }
  const logger = home.logger ?? silentLogger;
  logger.warn('overlayfs does not work here, every layer becomes a whole copy', { dir, why: probe.why });
  return native();
}
