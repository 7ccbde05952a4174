/**
 * The engine as a library:
 *
 * ```ts
 * await using engine = await openEngine({ root: '/var/lib/my-builds' });
 * const { exporterResponse } = await build(engine, {
 *   frontend: 'dockerfile.v0',
 *   offer: { folders: new Map([['context', '.'], ['dockerfile', '.']]) },
 *   exports: [{ type: 'oci', attrs: {}, target: { kind: 'file', path: 'image.tar' } }],
 * }, signal);
 * ```
 */
import type { Daemon } from './client/daemon.js';
import { LocalSession } from './client/session/local-session.js';
import { type AnyPlugin, type Logger, silentLogger, type Tracing } from './core/contracts/index.js';
import { type EngineConfig, loadConfig, parseConfig } from './core/kernel/config/load.js';
import { Engine } from './core/kernel/engine.js';
import { version } from './core/kernel/version.js';
import type { RegistryPatience } from './core/registry/client.js';
import { builtinPlugins } from './plugins/index.js';

export { type BuildRequest, type BuildResponse, build } from './client/build.js';
export type { Daemon, SessionOffer } from './client/daemon.js';
export type { ExportRequest, ExportTarget } from './client/export-request.js';
export { BuildError, isCanceled } from './core/contracts/index.js';
export { type EngineConfig, loadConfig, parseConfig } from './core/kernel/config/load.js';
export { Engine } from './core/kernel/engine.js';
export type { RegistryPatience } from './core/registry/client.js';

export interface OpenEngineOptions {
  /** Folder of all state; one engine at a time. */
  readonly root: string;
  /** A parsed configuration, or the file it is in. Default: none. */
  readonly config?: EngineConfig | string;
  /** Further plugins, besides the built-in ones and those that the configuration names. */
  readonly plugins?: readonly AnyPlugin[];
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: what the tracing plugins open. */
  readonly tracing?: Tracing;
  /** How often, and how long, registries in trouble are tried. */
  readonly patience?: RegistryPatience;
}

/** Opens an engine in this process; it is a {@link Daemon} like any other, whose sessions need no socket. */
export async function openEngine(options: OpenEngineOptions, signal: AbortSignal = forever): Promise<Daemon> {
  const { root, plugins = [], logger = silentLogger, tracing, patience } = options;
  const config = await configOf(options.config);
  const all = [...builtinPlugins, ...plugins];
  const engine = await Engine.open(
    {
      ...{ root, plugins: all, config, logger, version },
      ...(tracing ? { tracing } : {}),
      ...(patience ? { patience } : {}),
    },
    signal,
  );
  return {
    name: 'embedded engine',
    control: engine.control,
    openSession: async (offer) => {
      const session = new LocalSession({ ...offer, threads: engine.threads });
      const attached = engine.sessions.attach(session);
      return {
        id: session.id,
        async [Symbol.asyncDispose]() {
          attached[Symbol.dispose]();
          session[Symbol.dispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

const forever = new AbortController().signal;

async function configOf(config: EngineConfig | string | undefined): Promise<EngineConfig> {
  if (typeof config === 'string') return loadConfig(config);
  return config ?? parseConfig('');
}
