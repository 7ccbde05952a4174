import path from 'node:path';
import { invalid } from '../../../../core/contracts/errors.js';
import { silentLogger } from '../../../../core/contracts/logger.js';
import type { Snapshotter } from '../../../../core/contracts/snapshotter.js';
import { FUSE_OVERLAYFS, openFuseOverlays } from './fuse-overlay-snapshotter.js';
import { type FuseProbe, probeFuse } from './fuse-probe.js';
import { NativeSnapshotter } from './native-snapshotter.js';
import { type OverlayProbe, probeOverlay } from './overlay-probe.js';
import { OverlaySnapshotter } from './overlay-snapshotter.js';
import type { SnapshotterHome } from './snapshotter-home.js';

export type SnapshotterChoice = 'auto' | 'overlayfs' | 'fuse-overlayfs' | 'native';

export interface SnapshotterProbes {
  overlay(dir: string): Promise<OverlayProbe>;
  fuse(dir: string): Promise<FuseProbe>;
}

const realProbes: SnapshotterProbes = { overlay: probeOverlay, fuse: probeFuse };

const hint = 'Set the snapshotter to auto or native, or choose another root folder.';

type Attempt = { readonly opened: Snapshotter } | { readonly why: string };

/**
 * Opens the snapshotter that fits the machine: overlayfs where it works, else fuse-overlayfs, else whole copies, with a
 * warning that says why. Asked for by name, a driver that does not work is an error.
 * BuildKit: cmd/buildkitd/main_oci_worker.go, snapshotterFactory.
 */
export async function chooseSnapshotter(
  home: SnapshotterHome,
  choice: SnapshotterChoice = 'auto',
  probes: SnapshotterProbes = realProbes,
): Promise<Snapshotter> {
  switch (choice) {
    case 'native':
      return openNative(home);
    case 'overlayfs': {
      const attempt = await tryOverlay(home, probes);
      if ('opened' in attempt) return attempt.opened;
      throw invalid('snapshot.no-overlayfs', `overlayfs does not work in ${home.dir}: ${attempt.why}`, {
        hint,
      });
    }
    case 'fuse-overlayfs': {
      const attempt = await tryFuse(home, probes);
      if ('opened' in attempt) return attempt.opened;
      const message = `fuse-overlayfs does not work in ${home.dir}: ${attempt.why}`;
      throw invalid('snapshot.no-fuse-overlayfs', message, { hint });
    }
    case 'auto':
      return chooseForMachine(home, probes);
    default:
      return choice satisfies never;
  }
}

async function chooseForMachine(home: SnapshotterHome, probes: SnapshotterProbes): Promise<Snapshotter> {
  const logger = home.logger ?? silentLogger;
  const overlay = await tryOverlay(home, probes);
  if ('opened' in overlay) return overlay.opened;
  const fuse = await tryFuse(home, probes);
  if ('opened' in fuse) {
    logger.info('overlayfs does not work here, layers are mounted with fuse-overlayfs', { why: overlay.why });
    return fuse.opened;
  }
  const why = `${overlay.why}; fuse-overlayfs: ${fuse.why}`;
  logger.warn('overlayfs does not work here, every layer becomes a whole copy', { dir: home.dir, why });
  return openNative(home);
}

const below = (home: SnapshotterHome, name: string): SnapshotterHome => ({
  ...home,
  dir: path.join(home.dir, name),
});

const openNative = (home: SnapshotterHome): Promise<Snapshotter> =>
  NativeSnapshotter.open(below(home, 'native'));

async function tryOverlay(home: SnapshotterHome, probes: SnapshotterProbes): Promise<Attempt> {
  const own = below(home, 'overlayfs');
  const probe = await probes.overlay(own.dir);
  return probe.works ? { opened: await OverlaySnapshotter.open(own, probe.settings) } : probe;
}

async function tryFuse(home: SnapshotterHome, probes: SnapshotterProbes): Promise<Attempt> {
  const own = below(home, FUSE_OVERLAYFS);
  const probe = await probes.fuse(own.dir);
  return probe.works ? { opened: await openFuseOverlays(own, probe) } : probe;
}
