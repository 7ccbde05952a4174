/** Completes what worker plugins bound (four ports under one id) with what every worker has in common. */
import { TreeHasher } from '../content/hash/tree-hasher.js';
import { Differs, Executors, Snapshotters, WorkerProfiles } from '../contracts/index.js';
import { LocalFileEngine } from '../files/local-file-engine.js';
import { LocalRefStore } from '../snapshot/ref-store.js';
import type { DisposeStack } from '../util/dispose.js';
import type { KernelContainer } from './container.js';
import type { CoreServices } from './core-services.js';
import type { WorkerSet } from './worker-set.js';

export async function assembleWorkers(
  container: KernelContainer,
  { kv, content, threads, logger, tracing }: CoreServices,
  workers: WorkerSet,
  owner: DisposeStack,
): Promise<void> {
  const files = new LocalFileEngine({ threads, tracing });
  const hasher = new TreeHasher({ threads, tracing });
  for (const id of container.get(WorkerProfiles.all).ids()) {
    const profile = container.get(WorkerProfiles.named(id));
    const executor = container.get(Executors.named(id));
    const snapshotter = container.get(Snapshotters.named(id));
    const differ = container.get(Differs.named(id));
    const stores = { workerId: profile.id, snapshotter, differ, content, kv, logger, tracing };
    const refs = await owner.use(await LocalRefStore.open(stores));
    workers.add({ profile, executor, snapshotter, differ, refs, hasher, files }, id);
  }
}
