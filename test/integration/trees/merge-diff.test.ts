/** The property of test/unit/core/snapshot/merge-diff.test.ts at length, and as the kernel shows it. Needs root. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { openFuseOverlays } from '../../../plugins/workers/shared/snapshotters/fuse-overlay-snapshotter.js';
import { NativeSnapshotter } from '../../../plugins/workers/shared/snapshotters/native-snapshotter.js';
import { OverlaySnapshotter } from '../../../plugins/workers/shared/snapshotters/overlay-snapshotter.js';
import { ProgramWorld } from '../../support/program-world.js';
import { programs, tellLayers } from '../../support/tree-programs.js';
import { whyNotFuse } from '../support/rootless.js';

const settings = { options: [], opaqueName: 'trusted.overlay.opaque' } as const;
const CASES = 2000;
/** fuse-overlayfs has the layers of overlayfs, made by the same code. */
const FUSE_CASES = 500;
/** Mounting costs more than all the rest of a case. */
const MOUNTED_CASES = 40;

describe('merges and diffs, at length', function () {
  this.timeout(240_000);
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  const assert = (world: ProgramWorld, numRuns: number, view?: typeof tellLayers): Promise<void> =>
    fc.assert(
      fc.asyncProperty(programs, (program) => world.run(program, view)),
      { numRuns },
    );

  it('are what a model in memory says, on overlayfs', async () => {
    await using world = await ProgramWorld.open((home) => OverlaySnapshotter.open(home, settings));
    await assert(world, CASES);
  });

  it('are what a model in memory says, on fuse-overlayfs', async () => {
    await using world = await ProgramWorld.open((home) => openFuseOverlays(home, settings));
    await assert(world, FUSE_CASES);
  });

  it('are what a model in memory says, on native', async () => {
    await using world = await ProgramWorld.open((home) => NativeSnapshotter.open(home));
    await assert(world, CASES);
  });

  const mounts: Readonly<Record<string, (lower: string, at: string) => void>> = {
    'the kernel': (lower, at) => execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', lower, at]),
    'fuse-overlayfs': (lower, at) => execFileSync('fuse-overlayfs', ['-o', lower, at], { stdio: 'ignore' }),
  };
  for (const [name, mount] of Object.entries(mounts)) {
    it(`look the same through ${name}`, async function () {
      if (name === 'fuse-overlayfs' && whyNotFuse() !== undefined) this.skip();
      await using world = await ProgramWorld.open((home) => OverlaySnapshotter.open(home, settings));
      const [at, none] = ['mounted', 'none'].map((dir) => path.join(world.dir, dir)) as [string, string];
      for (const dir of [at, none]) fs.mkdirSync(dir);
      await assert(world, MOUNTED_CASES, (layers) => {
        mount(`lowerdir=${[...layers, none].join(':')}`, at);
        try {
          return tellLayers([at]);
        } finally {
          execFileSync('umount', [at]);
        }
      });
    });
  }
});
