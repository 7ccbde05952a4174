import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { SnapshotDirs } from '../../../../plugins/workers/shared/snapshotters/snapshot-dirs.js';
import { InlineThreads } from '../../../support/inline-threads.js';
import { makeTempDir } from '../../../support/trees.js';

describe('SnapshotDirs', () => {
  const home = makeTempDir();
  after(() => fs.rmSync(home, { recursive: true }));

  it('opens trees to those who live in them, and their folder to nobody, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const { dirs } = await SnapshotDirs.open(home, new Set(), new InlineThreads());
      dirs.make('a', 'work');
      const mode = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);
      expect(['s', 's/a', 's/a/fs'].map((file) => mode(path.join(home, file)))).to.deep.equal([
        '700',
        '700',
        '755',
      ]);
    } finally {
      process.umask(before);
    }
  });
});
