import fc from 'fast-check';
import { NativeSnapshotter } from '../../../../plugins/workers/shared/snapshotters/native-snapshotter.js';
import { OverlaySnapshotter } from '../../../../plugins/workers/shared/snapshotters/overlay-snapshotter.js';
import { type OpenSnapshotter, ProgramWorld } from '../../../support/program-world.js';
import { programs } from '../../../support/tree-programs.js';

const settings = { options: [], opaqueName: 'user.overlay.opaque' } as const;
const snapshotters: readonly [name: string, open: OpenSnapshotter][] = [
  ['overlayfs', (home) => OverlaySnapshotter.open(home, settings)],
  ['native', (home) => NativeSnapshotter.open(home)],
];

describe('merges and diffs', () => {
  for (const [name, open] of snapshotters) {
    it(`are trees and layers as a model in memory says, on ${name}`, async function () {
      this.timeout(60_000);
      await using world = await ProgramWorld.open(open);
      await fc.assert(
        fc.asyncProperty(programs, (program) => world.run(program)),
        { numRuns: Number(process.env.RUNS ?? 25), seed: 1 },
      );
    });
  }
});
