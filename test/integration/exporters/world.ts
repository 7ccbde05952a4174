/** Everything below the solver, for real, in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalContentStore } from '../../../core/content/content-store.js';
import { TreeHasher } from '../../../core/content/hash/tree-hasher.js';
import { StackDiffer } from '../../../core/content/layer/stack-differ.js';
import { LocalTrees } from '../../../core/content/trees.js';
import type { ContentStore } from '../../../core/contracts/content.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { silentTracing } from '../../../core/contracts/tracing.js';
import type { Trees } from '../../../core/contracts/trees.js';
import type { Worker } from '../../../core/contracts/worker.js';
import { LmdbKv } from '../../../core/kv/lmdb-kv.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { LocalRefStore } from '../../../core/snapshot/ref-store.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { chooseSnapshotter } from '../../../plugins/workers/shared/snapshotters/choose-snapshotter.js';
import { fakeSessions } from '../../support/fake-session.js';

export class World implements AsyncDisposable {
  readonly dir: string;
  readonly content: ContentStore;
  readonly threads: Threads;
  readonly trees: Trees;
  readonly registries: RegistryClient;
  readonly refs: LocalRefStore;
  /** Without executor and file engine. */
  readonly worker: Worker;
  readonly #owned: DisposeStack;

  private constructor(parts: Omit<World, typeof Symbol.asyncDispose>, owned: DisposeStack) {
    this.dir = parts.dir;
    this.content = parts.content;
    this.threads = parts.threads;
    this.trees = parts.trees;
    this.registries = parts.registries;
    this.refs = parts.refs;
    this.worker = parts.worker;
    this.#owned = owned;
  }

  static async open(): Promise<World> {
    await using owned = new DisposeStack();
    const dir = await mkdtemp(join(tmpdir(), 'images-world-'));
    await owned.defer(() => rm(dir, { recursive: true, force: true }));
    const tracing = silentTracing;
    const kv = await owned.use(await LmdbKv.open(join(dir, 'metadata.mdb')));
    const content = await LocalContentStore.open(join(dir, 'content'), { kv });
    const threads = await owned.use(new ThreadPool());
    const home = { dir: join(dir, 'snapshots'), id: 'test', kv, threads, logger: silentLogger };
    const snapshotter = await chooseSnapshotter(home);
    const differ = new StackDiffer({ content, threads });
    const refs = await owned.use(
      await LocalRefStore.open({
        workerId: 'test',
        snapshotter,
        differ,
        content,
        kv,
        tracing,
        trackHandles: true,
      }),
    );
    const registries = await owned.use(
      new RegistryClient({ hosts: {}, sessions: fakeSessions(), logger: silentLogger }),
    );
    const hasher = new TreeHasher({ threads, tracing });
    const worker = { refs, differ, snapshotter, hasher } as unknown as Worker;
    const trees = new LocalTrees({ threads });
    return new World({ dir, content, threads, trees, registries, refs, worker }, owned.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
