/** The cache mounts of the worker that builds, as caches export and import them. */
import type { MountTrees } from '../cache/mount-exports.js';
import type { Workers } from '../contracts/worker.js';
import type { CacheMounts } from '../llb/ops/cache-mounts.js';

export const mountTrees = (mounts: CacheMounts, workers: Workers): MountTrees => ({
  known: () => mounts.known(workers.default()),
  pack: (mount, options, progress, signal) =>
    mounts.pack(workers.default(), mount, options, progress, signal),
  offer: (session, found) => mounts.offer(session, found),
});
