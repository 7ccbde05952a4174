/**
 * A worker that runs steps with `chroot` on plain folders: no runtime, no overlay, no isolation. Good for seeing what a
 * worker is made of, not for builds that you do not trust.
 *
 * Shows: the four ports of a worker under one id (executor, snapshotter, differ, profile).
 */
import { arch } from 'node:os';
import { join } from 'node:path';
import {
  Differs,
  definePlugin,
  Executors,
  LocalDiffer,
  PLUGIN_API,
  Snapshotters,
  WorkerHome,
  WorkerProfiles,
} from 'buildkit-ts/contracts';
import { z } from 'zod';
import { ChrootExecutor } from './executor.js';
import { FolderSnapshotter } from './snapshotter.js';

const ID = 'chroot';

export default definePlugin({
  kind: 'worker',
  id: ID,
  api: PLUGIN_API,
  config: z.object({
    maxParallelism: z.int().min(0).default(2).describe('steps run at once; 0 = no limit'),
  }),
  register(bind, { maxParallelism }) {
    bind(Executors.named(ID)).toFactory([], () => new ChrootExecutor());
    bind(Snapshotters.named(ID)).toFactory(
      [WorkerHome],
      (home) => new FolderSnapshotter(join(home.dir(ID), 'snapshots')),
    );
    bind(Differs.named(ID)).toFactory([LocalDiffer], (differ) => differ);
    bind(WorkerProfiles.named(ID)).toValue({
      id: 'chroot-worker',
      labels: { 'org.mobyproject.buildkit.worker.executor': 'chroot' },
      platforms: [{ os: 'linux', architecture: arch() === 'x64' ? 'amd64' : arch() }],
      maxParallelism,
    });
  },
});
