/** The cache mounts of all workers, as caches export and import them. What several have under one id is the first one's. */
import type { MountTrees } from '../cache/mount-exports.js';
import type { KnownCacheMount } from '../contracts/cache.js';
import type { Worker, Workers } from '../contracts/worker.js';
import type { CacheMounts } from '../llb/ops/cache-mounts.js';

export const mountTrees = (mounts: CacheMounts, workers: Workers): MountTrees => ({
  known: () => workers.list.flatMap((worker) => mounts.known(worker)),
  pack: async (mount, options, progress, signal) => {
    const owner = workers.list.find((worker) => knows(mounts, worker, mount));
    return owner && mounts.pack(owner, mount, options, progress, signal);
  },
  offer: (session, found) => mounts.offer(session, found),
});

const knows = (mounts: CacheMounts, worker: Worker, { id, base }: KnownCacheMount): boolean =>
  mounts.known(worker).some((known) => known.id === id && known.base === base);
