/**
 * The whole daemon without a socket: opened over a state folder, it builds until it is disposed. `buildkitd` is this
 * plus listeners; embedding programs call {@link Engine.control} and attach their sessions in process.
 *
 * Opening goes from the bottom up (folder, stores, threads, plugins, workers, solver) and closing back down, so
 * that whatever fails on the way leaves nothing behind.
 */
import { join } from 'node:path';
import type { types } from '../../proto/index.js';
import { LocalContentStore } from '../content/content-store.js';
import { TreeHasher } from '../content/hash/tree-hasher.js';
import { StackDiffer } from '../content/layer/stack-differ.js';
import { LocalLeases } from '../content/leases.js';
import { LocalTrees } from '../content/trees.js';
import {
  ContentStore,
  Differs,
  Executors,
  Exporters,
  Frontends,
  Kv,
  Leases,
  LocalDiffer,
  Logger,
  type Plugin,
  type PluginStatus,
  Registries,
  Sessions,
  Snapshotters,
  Sources,
  Threads,
  Tracing,
  Trees,
  type Worker,
  WorkerHome,
  WorkerProfiles,
  Workers,
} from '../contracts/index.js';
import { Control } from '../control/control.js';
import { LocalFileEngine } from '../files/local-file-engine.js';
import { LmdbKv } from '../kv/lmdb-kv.js';
import { logLimits } from '../llb/log-limiter.js';
import { CacheMounts } from '../llb/ops/cache-mounts.js';
import { RegistryClient } from '../registry/client.js';
import { SessionManager } from '../session/session-manager.js';
import { LocalRefStore } from '../snapshot/ref-store.js';
import { RefResultStore } from '../snapshot/result-store.js';
import { KeyStore } from '../solver/keys/key-store.js';
import { Solver } from '../solver/solver.js';
import { ThreadPool } from '../threads/thread-pool.js';
import { DisposeStack } from '../util/dispose.js';
import { type EngineConfig, parseConfig } from './config/load.js';
import { KernelContainer } from './container.js';
import { PluginHost } from './plugin-host.js';
import { loadPlugins } from './plugin-loader.js';
import { RootFolder } from './root-folder.js';
import { WorkerSet } from './worker-set.js';

export interface EngineOptions {
  /** Folder of all state; one engine at a time. */
  readonly root: string;
  /** Built-in plugins. Those that the configuration names are loaded besides. */
  readonly plugins: readonly Plugin<never>[];
  /** Default: an empty configuration. */
  readonly config?: EngineConfig;
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly version: types.BuildkitVersion;
}

export class Engine implements AsyncDisposable {
  readonly control: Control;
  readonly sessions: SessionManager;
  readonly #plugins: PluginHost;
  readonly #workers: WorkerSet;
  readonly #owned: DisposeStack;

  private constructor(
    control: Control,
    sessions: SessionManager,
    plugins: PluginHost,
    workers: WorkerSet,
    owned: DisposeStack,
  ) {
    this.control = control;
    this.sessions = sessions;
    this.#plugins = plugins;
    this.#workers = workers;
    this.#owned = owned;
  }

  static async open(options: EngineOptions, signal: AbortSignal): Promise<Engine> {
    await using opening = new DisposeStack();
    const { logger, tracing, version } = options;
    const config = options.config ?? parseConfig('');
    const root = await opening.use(await RootFolder.open(options.root));
    const loaded = await loadPlugins(config);

    const kv = await opening.use(await LmdbKv.open(root.join('metadata.mdb')));
    const content = await LocalContentStore.open(root.join('content'), { kv });
    const leases = await LocalLeases.open(kv);
    const threads = await opening.use(new ThreadPool());
    const sessions = await opening.use(new SessionManager({ logger, tracing }));
    const registries = await opening.use(
      new RegistryClient({ hosts: config.settings.registry, sessions, logger }),
    );

    const container = await opening.use(new KernelContainer());
    const builtins = options.plugins.map((plugin) => ({
      plugin: plugin as Plugin<unknown>,
      origin: 'builtin',
    }));
    const host = new PluginHost(container, config, [...builtins, ...loaded], logger);
    const workers = new WorkerSet(() => host.statuses());
    const bind = container.binder('core');
    bind(Logger).toValue(logger);
    bind(Tracing).toValue(tracing);
    bind(Kv).toValue(kv);
    bind(ContentStore).toValue(content);
    bind(Leases).toValue(leases);
    bind(Threads).toValue(threads);
    bind(Sessions).toValue(sessions);
    bind(Registries).toValue(registries);
    bind(Trees).toValue(new LocalTrees({ threads }));
    bind(LocalDiffer).toValue(new StackDiffer({ content, threads, tracing }));
    bind(WorkerHome).toValue({ dir: (id) => join(root.path, id) });
    bind(Workers).toValue(workers);
    host.register();
    await host.start(signal);

    const files = new LocalFileEngine({ threads, tracing });
    const hasher = new TreeHasher({ threads, tracing });
    for (const id of container.get(WorkerProfiles.all).ids()) {
      const profile = container.get(WorkerProfiles.named(id));
      const executor = container.get(Executors.named(id));
      const snapshotter = container.get(Snapshotters.named(id));
      const differ = container.get(Differs.named(id));
      const refs = await opening.use(
        await LocalRefStore.open({ workerId: profile.id, snapshotter, differ, content, kv, logger, tracing }),
      );
      workers.add({ profile, executor, snapshotter, differ, refs, hasher, files });
    }

    const solver = await opening.use(
      new Solver({
        keys: new KeyStore(kv),
        results: new RefResultStore(workers),
        tracing,
        logger,
        maxParallelism: workers.list[0]?.profile.maxParallelism ?? 0,
      }),
    );
    const control = new Control({
      solver,
      llb: {
        workers,
        sources: container.get(Sources.all),
        sessions,
        tracing,
        logger,
        cacheMounts: new CacheMounts(),
        logLimits: logLimits(process.env),
      },
      frontends: container.get(Frontends.all),
      exporters: container.get(Exporters.all),
      allowedEntitlements: config.settings['insecure-entitlements'],
      workers,
      tracing,
      logger,
      version,
      plugins: () => host.statuses(),
    });
    return new Engine(control, sessions, host, workers, opening.move());
  }

  get workers(): readonly Worker[] {
    return this.#workers.list;
  }

  plugins(): readonly PluginStatus[] {
    return this.#plugins.statuses();
  }

  /** Cancels what runs, waits for it, and closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
