/**
 * The whole daemon without a socket: opened over a state folder, it builds until it is disposed. `buildkitd` is this
 * plus listeners; embedding programs call {@link Engine.control} and attach their sessions in process.
 *
 * Opening goes from the bottom up (folder, plugins' bindings, stores, plugins, workers, solver) and closing back
 * down, so that whatever fails on the way leaves nothing behind.
 */
import type { types } from '../../proto/index.js';
import {
  type AnyPlugin,
  CacheBackends,
  Exporters,
  Frontends,
  type Logger,
  type Plugin,
  type PluginStatus,
  Sources,
  silentTracing,
  type Threads,
  type Tracing,
  TracingBackends,
  type Worker,
} from '../contracts/index.js';
import { Control } from '../control/control.js';
import { TraceServer } from '../control/trace-server.js';
import { openDevices } from '../devices/open-devices.js';
import { History } from '../history/history.js';
import { RecordingTracing } from '../history/traces/recording-tracing.js';
import { TraceRecorder } from '../history/traces/trace-recorder.js';
import { logLimits } from '../llb/log-limiter.js';
import { CacheMounts } from '../llb/ops/cache-mounts.js';
import type { RegistryClient, RegistryPatience } from '../registry/client.js';
import type { SessionManager } from '../session/session-manager.js';
import { RefResultStore } from '../snapshot/result-store.js';
import { KeyStore } from '../solver/keys/key-store.js';
import { Solver } from '../solver/solver.js';
import { DisposeStack } from '../util/dispose.js';
import { SocketFolder } from '../util/socket-folder.js';
import { assembleWorkers } from './assemble-workers.js';
import { durationMs } from './config/gc-schema.js';
import { type EngineConfig, parseConfig } from './config/load.js';
import { KernelContainer } from './container.js';
import { bindCore, type CoreServices, openCore } from './core-services.js';
import { GcSettings, lastRunIn } from './gc-settings.js';
import { mountTrees } from './mount-trees.js';
import { PluginHost } from './plugin-host.js';
import { loadPlugins } from './plugin-loader.js';
import { RootFolder } from './root-folder.js';
import { WorkerSet } from './worker-set.js';

export interface EngineOptions {
  /** Folder of all state; one engine at a time. */
  readonly root: string;
  /** Built-in plugins. Those that the configuration names are loaded besides. */
  readonly plugins: readonly AnyPlugin[];
  /** Default: an empty configuration. */
  readonly config?: EngineConfig;
  readonly logger: Logger;
  /** Default: what the tracing plugins open under the name `buildkitd`, or nothing. */
  readonly tracing?: Tracing;
  /** A unix socket where steps may send spans, if there is any tracing. Default: none. */
  readonly traceSocket?: string;
  /** With registries that are in trouble. Default: four further attempts within 7 s, none waits longer than a minute. */
  readonly patience?: RegistryPatience;
  readonly version: types.BuildkitVersion;
}

export class Engine implements AsyncDisposable {
  readonly control: Control;
  readonly sessions: SessionManager;
  readonly tracing: Tracing;
  /** For sessions in this process, which copy folders as well. */
  readonly threads: Threads;
  readonly #plugins: PluginHost;
  readonly #workers: WorkerSet;
  readonly #gc: GcSettings;
  readonly #registries: RegistryClient;
  readonly #owned: DisposeStack;

  private constructor(parts: EngineParts, owned: DisposeStack) {
    this.control = parts.control;
    this.sessions = parts.sessions;
    this.tracing = parts.tracing;
    this.threads = parts.threads;
    this.#plugins = parts.plugins;
    this.#workers = parts.workers;
    this.#gc = parts.gc;
    this.#registries = parts.registries;
    this.#owned = owned;
  }

  static async open(options: EngineOptions, signal: AbortSignal): Promise<Engine> {
    await using opening = new DisposeStack();
    const { logger, version } = options;
    const config = options.config ?? parseConfig('');
    const root = await opening.use(await RootFolder.open(options.root));
    const container = new KernelContainer();
    const plugins = await registerPlugins(options, config, container);
    const traces = new TraceRecorder();
    const tracing = await opening.use(await openTracing(options, config, container, traces));

    const traceSocket = await openTraceSocket(options.traceSocket, tracing, opening);
    const { patience } = options;
    const core = await openCore(
      { root, config, logger, tracing, ...(patience ? { patience } : {}) },
      opening,
    );
    // Disposed before what its plugins were built from.
    await opening.use(container);
    const workers = new WorkerSet(() => plugins.statuses());
    bindCore(container, { ...core, workers });
    await plugins.start(signal);
    await assembleWorkers(container, core, workers, opening);

    const gc = await GcSettings.open(workers, root.path, config);
    const control = await openControl(
      { core, workers, plugins, container, gc, traces, traceSocket, version },
      opening,
    );
    return new Engine(
      {
        control,
        sessions: core.sessions,
        tracing,
        threads: core.threads,
        plugins,
        workers,
        gc,
        registries: core.registries,
      },
      opening.move(),
    );
  }

  get workers(): readonly Worker[] {
    return this.#workers.list;
  }

  plugins(): readonly PluginStatus[] {
    return this.#plugins.statuses();
  }

  /** Numbers of this moment. */
  stats(): EngineStats {
    const { control, sessions } = this;
    return {
      builds: control.activity.running().length,
      sessions: sessions.count,
      ...control.load,
      ...this.#registries.traffic,
      collected: control.collector.total,
    };
  }

  /** Takes over what can change while it runs: registries and rules of garbage collection. */
  reload(config: EngineConfig): void {
    this.#gc.use(config);
    this.#registries.useHosts(config.settings.registry);
  }

  /** Cancels what runs, waits for it, and closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

export interface EngineStats {
  readonly builds: number;
  readonly sessions: number;
  /** Live tasks of the solver. */
  readonly tasks: number;
  /** Heavy steps that run, and that wait for others to end. */
  readonly running: number;
  readonly waiting: number;
  /** Bytes of blobs from and to registries. */
  readonly pulled: number;
  readonly pushed: number;
  readonly collected: { readonly records: number; readonly bytes: number; readonly runs: number };
}

interface EngineParts {
  readonly control: Control;
  readonly sessions: SessionManager;
  readonly tracing: Tracing;
  readonly threads: Threads;
  readonly plugins: PluginHost;
  readonly workers: WorkerSet;
  readonly gc: GcSettings;
  readonly registries: RegistryClient;
}

interface ControlParts {
  readonly core: CoreServices;
  readonly workers: WorkerSet;
  readonly plugins: PluginHost;
  readonly container: KernelContainer;
  readonly gc: GcSettings;
  readonly traces: TraceRecorder;
  readonly traceSocket: string | undefined;
  readonly version: types.BuildkitVersion;
}

/** The solver, and the API over it. */
async function openControl(
  { core, workers, plugins, container, gc, traces, traceSocket, version }: ControlParts,
  owner: DisposeStack,
): Promise<Control> {
  const { kv, content, sessions, tracing, logger } = core;
  const { maxAge, maxEntries } = core.config.settings.history;
  const limits = { maxAge: durationMs(maxAge) ?? 0, maxEntries };
  const history = await owner.use(await History.open({ kv, content, logger, limits, traces }));
  const keys = new KeyStore(kv);
  const results = new RefResultStore(workers);
  const solver = await owner.use(
    new Solver({
      keys,
      results,
      tracing,
      logger,
      // What is heavy runs on a worker, and each has a limit of its own.
      maxParallelism: 0,
      poolParallelism: new Map(workers.list.map(({ profile }) => [profile.id, profile.maxParallelism])),
    }),
  );
  const devices = openDevices(core.config.settings.cdi, logger);
  const llb = {
    workers,
    sources: container.get(Sources.all),
    sessions,
    devices,
    tracing,
    logger,
    cacheMounts: new CacheMounts(),
    sockets: new SocketFolder(core.root.join('sockets')),
    logLimits: logLimits(process.env),
    traceSocket,
  };
  const control = new Control({
    solver,
    llb,
    frontends: container.get(Frontends.all),
    exporters: container.get(Exporters.all),
    caches: {
      backends: container.get(CacheBackends.all),
      keys,
      results,
      refs: () => workers.default().refs,
      mounts: mountTrees(llb.cacheMounts, workers),
      logger,
    },
    allowedEntitlements: allowedEntitlements(core.config.settings),
    workers,
    tracing,
    logger,
    version,
    plugins: () => plugins.statuses(),
    history,
    content,
    tables: () => ({ sessions: sessions.count }),
    gcRules: (worker) => gc.rulesOf(worker),
    gcLastRun: lastRunIn(kv),
  });
  return owner.use(control);
}

/** Those of devices are granted one by one, so that the daemon need not be told to allow them at all. */
const allowedEntitlements = ({ cdi, 'insecure-entitlements': listed }: EngineConfig['settings']): string[] =>
  cdi.disabled ? [...listed] : [...listed, 'device'];

async function registerPlugins(
  { plugins, logger }: EngineOptions,
  config: EngineConfig,
  container: KernelContainer,
): Promise<PluginHost> {
  const builtin = plugins.map((plugin) => ({ plugin: plugin as Plugin<unknown>, origin: 'builtin' }));
  const host = new PluginHost(container, config, [...builtin, ...(await loadPlugins(config))], logger);
  host.register();
  return host;
}

/** The tracer that was given, or that a plugin opens; with the recorder before it if anything is traced at all. */
async function openTracing(
  { tracing: given }: EngineOptions,
  { settings }: EngineConfig,
  container: KernelContainer,
  traces: TraceRecorder,
): Promise<Tracing> {
  const opened = given ?? (await openBackend(container));
  if (opened === silentTracing && !settings.history.traces) return silentTracing;
  // Whoever gave a tracer closes it.
  return new RecordingTracing(serviceName(), traces, opened, { owned: given === undefined });
}

/** Answers it when it was asked for and spans go anywhere. */
async function openTraceSocket(
  path: string | undefined,
  tracing: Tracing,
  owner: DisposeStack,
): Promise<string | undefined> {
  if (path === undefined || !tracing.forward) return undefined;
  await owner.use(await TraceServer.open(path, tracing));
  return path;
}

/** What this program is called in traces. */
const serviceName = (): string => process.env.OTEL_SERVICE_NAME || 'buildkitd';

async function openBackend(container: KernelContainer): Promise<Tracing> {
  const backends = container.get(TracingBackends.all);
  for (const id of backends.ids()) {
    const tracing = await backends.get(id)?.open(serviceName());
    if (tracing) return tracing;
  }
  return silentTracing;
}
