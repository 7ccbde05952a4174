import fc from 'fast-check';
import { openFuseOverlays } from '../../../../plugins/workers/shared/snapshotters/fuse-overlay-snapshotter.js';
import { NativeSnapshotter } from '../../../../plugins/workers/shared/snapshotters/native-snapshotter.js';
import { OverlaySnapshotter } from '../../../../plugins/workers/shared/snapshotters/overlay-snapshotter.js';
import { type OpenSnapshotter, ProgramWorld } from '../../../support/program-world.js';
import { type Program, programs } from '../../../support/tree-programs.js';

const settings = { options: [], opaqueName: 'user.overlay.opaque' } as const;
const snapshotters: readonly [name: string, open: OpenSnapshotter][] = [
  ['overlayfs', (home) => OverlaySnapshotter.open(home, settings)],
  ['fuse-overlayfs', (home) => openFuseOverlays(home, settings)],
  ['native', (home) => NativeSnapshotter.open(home)],
];

const file = (...path: string[]) => ({ op: 'file', path, text: '', mode: 0o644 }) as const;
const link = (to: string, ...path: string[]) => ({ op: 'link', path, to: [to] }) as const;

/** What stays as it is while another name of its inode comes or goes is no change. States: 0 is empty, then in order. */
const linked: readonly [name: string, program: Program][] = [
  [
    'a name whose hard link is another file below',
    [
      { op: 'change', of: 0, edits: [file('a'), link('a', 'c', 'a')] },
      { op: 'change', of: 1, edits: [file('a')] },
      { op: 'diff', lower: 2, upper: 1 },
    ],
  ],
  [
    'a name that gets a hard link',
    [
      { op: 'change', of: 0, edits: [file('a')] },
      { op: 'change', of: 1, edits: [link('a', 'd')] },
      { op: 'diff', lower: 1, upper: 2 },
    ],
  ],
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

    for (const [what, program] of linked) {
      it(`have no unchanged names in them, on ${name}: ${what}`, async () => {
        await using world = await ProgramWorld.open(open);
        await world.run(program);
      });
    }
  }
});
