/** The worker that runs steps with an OCI runtime (crun, runc) as root, on layers of this machine. */
import path from 'node:path';
import { Differs, LocalDiffer } from '../../../core/contracts/differ.js';
import { Executors } from '../../../core/contracts/executor.js';
import { Kv } from '../../../core/contracts/kv.js';
import { Logger } from '../../../core/contracts/logger.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Snapshotters } from '../../../core/contracts/snapshotter.js';
import { Threads } from '../../../core/contracts/threads.js';
import { type Token, token } from '../../../core/contracts/token.js';
import { WorkerHome, WorkerProfiles } from '../../../core/contracts/worker.js';
import { chooseSnapshotter } from '../shared/snapshotters/choose-snapshotter.js';
import { runcConfig } from './config.js';
import { LateSnapshotter } from './late-snapshotter.js';
import { RuncWorker } from './runc-worker.js';

const ID = 'runc';

/** This plugin's own: what its ports share. The worker is what is started. */
const Worker: Token<RuncWorker> = token('RuncWorker');
const Layers: Token<LateSnapshotter> = token('RuncLayers');

export default definePlugin({
  kind: 'worker',
  id: ID,
  api: PLUGIN_API,
  config: runcConfig,
  register(bind, config) {
    bind(Layers).toFactory([WorkerHome, Threads, Logger, Kv], (home, threads, logger, kv) => {
      const dir = path.join(home.dir(ID), 'snapshots');
      return new LateSnapshotter(() =>
        chooseSnapshotter({ dir, id: ID, kv, threads, logger }, config.snapshotter),
      );
    });
    bind(Worker).toFactory([WorkerHome, Threads, Logger, Layers], (home, threads, logger, snapshotter) => {
      return new RuncWorker({ dir: home.dir(ID), config, threads, logger, snapshotter });
    });
    bind(Snapshotters.named(ID)).toFactory([Layers], (layers) => layers);
    bind(Executors.named(ID)).toFactory([Worker], (worker) => worker.executor);
    bind(WorkerProfiles.named(ID)).toFactory([Worker], (worker) => worker.profile);
    bind(Differs.named(ID)).toFactory([LocalDiffer], (differ) => differ);
  },
});
