/** The worker over containerd: its content, its snapshots, its tasks and its images. */
import { BlobDepots, ContentStore } from '../../../core/contracts/content.js';
import { Differs, LocalDiffer } from '../../../core/contracts/differ.js';
import { Executors } from '../../../core/contracts/executor.js';
import { ImageStores } from '../../../core/contracts/image-store.js';
import { Logger } from '../../../core/contracts/logger.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Snapshotters } from '../../../core/contracts/snapshotter.js';
import { Threads } from '../../../core/contracts/threads.js';
import { type Token, token } from '../../../core/contracts/token.js';
import { WorkerHome, WorkerProfiles } from '../../../core/contracts/worker.js';
import type { Platform } from '../../../core/util/platform.js';
import { containerdConfig } from './config.js';
import { ContainerdImages } from './containerd-images.js';
import { ContainerdWorker } from './containerd-worker.js';

const ID = 'containerd';

/** This plugin's own: what its ports share. The worker is what is started. */
const Worker: Token<ContainerdWorker> = token('ContainerdWorker');

export default definePlugin({
  kind: 'worker',
  id: ID,
  api: PLUGIN_API,
  config: containerdConfig,
  register(bind, config) {
    bind(Worker).toFactory(
      [WorkerHome, Threads, Logger],
      (home, threads, logger) => new ContainerdWorker({ dir: home.dir(ID), config, threads, logger }),
    );
    bind(Executors.named(ID)).toFactory([Worker], (worker) => worker.executor);
    bind(WorkerProfiles.named(ID)).toFactory([Worker], (worker) => worker.profile);
    bind(Snapshotters.named(ID)).toFactory([Worker], (worker) => worker.snapshotter);
    bind(BlobDepots.named(ID)).toFactory([Worker], (worker) => worker.depot);
    bind(ImageStores.named(ID)).toFactory([Worker, ContentStore], (worker, content) => {
      const { containerd, depot, profile } = worker;
      const { snapshotter } = config;
      const platforms = (): readonly Platform[] => profile.platforms;
      return new ContainerdImages({ containerd, depot, content, snapshotter, platforms });
    });
    bind(Differs.named(ID)).toFactory([LocalDiffer], (differ) => differ);
  },
});
