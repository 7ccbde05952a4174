/** What every plugin may ask for: stores, threads, sessions, registries, trees. */

import { LocalContentStore } from '../content/content-store.js';
import { StackDiffer } from '../content/layer/stack-differ.js';
import { LocalLeases } from '../content/leases.js';
import { LocalTrees } from '../content/trees.js';
import {
  ContentStore,
  FrontendHost,
  Kv,
  Leases,
  LocalDiffer,
  Logger,
  Registries,
  Sessions,
  Threads,
  Tracing,
  Trees,
  WorkerHome,
  Workers,
} from '../contracts/index.js';
import { ContainerFrontends } from '../gateway/frontend-host.js';
import { LmdbKv } from '../kv/lmdb-kv.js';
import { RegistryClient, type RegistryPatience } from '../registry/client.js';
import { SessionManager } from '../session/session-manager.js';
import { ThreadPool } from '../threads/thread-pool.js';
import type { DisposeStack } from '../util/dispose.js';
import type { EngineConfig } from './config/load.js';
import type { KernelContainer } from './container.js';
import type { RootFolder } from './root-folder.js';

export interface CoreOptions {
  readonly root: RootFolder;
  readonly config: EngineConfig;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** With registries that are in trouble. */
  readonly patience?: RegistryPatience;
}

export interface CoreServices extends CoreOptions {
  readonly kv: Kv;
  readonly content: LocalContentStore;
  readonly leases: Leases;
  readonly threads: Threads;
  readonly sessions: SessionManager;
  readonly registries: RegistryClient;
}

/** Opens the stores; `owner` closes them. */
export async function openCore(options: CoreOptions, owner: DisposeStack): Promise<CoreServices> {
  const { root, config, logger, tracing, patience } = options;
  const kv = await owner.use(await LmdbKv.open(root.join('metadata.mdb')));
  const threads = await owner.use(new ThreadPool());
  const content = await LocalContentStore.open(root.join('content'), { kv, threads });
  const leases = await LocalLeases.open(kv);
  const sessions = await owner.use(new SessionManager({ logger, tracing, threads }));
  const hosts = config.settings.registry;
  const registries = await owner.use(new RegistryClient({ hosts, sessions, logger, ...patience }));
  return { ...options, kv, content, leases, threads, sessions, registries };
}

/** Binds the services to their tokens. */
export function bindCore(
  container: KernelContainer,
  services: CoreServices & { readonly workers: Workers },
): void {
  const { root, content, threads, tracing } = services;
  const bind = container.binder('core');
  bind(Logger).toValue(services.logger);
  bind(Tracing).toValue(tracing);
  bind(Kv).toValue(services.kv);
  bind(ContentStore).toValue(content);
  bind(Leases).toValue(services.leases);
  bind(Threads).toValue(threads);
  bind(Sessions).toValue(services.sessions);
  bind(Registries).toValue(services.registries);
  bind(Workers).toValue(services.workers);
  bind(FrontendHost).toValue(new ContainerFrontends(services.workers, services.logger));
  bind(Trees).toFactory([], () => new LocalTrees({ threads }));
  bind(LocalDiffer).toFactory([], () => new StackDiffer({ content, threads }));
  bind(WorkerHome).toValue({ dir: (id) => root.join(id) });
}
