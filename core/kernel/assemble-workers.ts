/** Completes what worker plugins bound (four ports under one id) with what every worker has in common. */
import type { LocalContentStore } from '../content/content-store.js';
import { TreeHasher } from '../content/hash/tree-hasher.js';
import {
  BlobDepots,
  Differs,
  Executors,
  ImageStores,
  Snapshotters,
  WorkerProfiles,
} from '../contracts/index.js';
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
  const ids = byRank(container);
  attachDepots(ids, container, content);
  for (const id of ids) {
    const profile = container.get(WorkerProfiles.named(id));
    const executor = container.get(Executors.named(id));
    const snapshotter = container.get(Snapshotters.named(id));
    const differ = container.get(Differs.named(id));
    const stores = { workerId: profile.id, snapshotter, differ, content, kv, logger, tracing };
    const refs = await owner.use(await LocalRefStore.open(stores));
    const images = container.get(ImageStores.all).get(id);
    const worker = { profile, executor, snapshotter, differ, refs, hasher, files };
    workers.add({ ...worker, ...(images ? { images } : {}) }, id);
  }
}

/** BuildKit: cmd/buildkitd/main.go, priorities of worker initializers. */
function byRank(container: KernelContainer): readonly string[] {
  const profiles = container.get(WorkerProfiles.all);
  const rank = (id: string): number => profiles.get(id)?.rank ?? 0;
  return [...profiles.ids()].sort((a, b) => rank(a) - rank(b));
}

/** Blobs are found wherever a worker keeps some. New ones go to the default worker's place, if it brings one. */
function attachDepots(ids: readonly string[], container: KernelContainer, content: LocalContentStore): void {
  const depots = container.get(BlobDepots.all);
  const [id] = depots.ids();
  const depot = id === undefined ? undefined : depots.get(id);
  if (depot) content.attach(depot, { hands: id === ids[0] });
}
