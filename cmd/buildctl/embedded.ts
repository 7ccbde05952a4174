/** The engine in this process, with this program as its client. Folders and results are read and written directly. */
import type { Daemon } from '../../client/daemon.js';
import { openLocalSession } from '../../client/session/local-session.js';
import { loadConfig, parseConfig } from '../../core/kernel/config/load.js';
import { Engine } from '../../core/kernel/engine.js';
import { openLogger } from '../../core/kernel/logger.js';
import { builtinPlugins } from '../../plugins/index.js';
import { version } from '../shared/version.js';
import type { Context } from './context.js';

const DEFAULT_ROOT = '/var/lib/buildkit';

export async function openEmbedded({
  options,
  tracing,
  signal,
  stderr,
}: Omit<Context, 'daemon'>): Promise<Daemon> {
  const config = options.config ? await loadConfig(options.config) : parseConfig('');
  const root = options.root ?? config.settings.root ?? DEFAULT_ROOT;
  stderr.write(`no daemon: building in this process, state in ${root}\n`);
  const logger = openLogger({ level: options.debug ? 'debug' : 'warn', format: 'text' }, stderr);
  const engine = await Engine.open(
    { root, plugins: builtinPlugins, config, logger, tracing, version },
    signal,
  );
  return {
    name: 'embedded engine',
    control: engine.control,
    openSession: async (services) => {
      const session = await openLocalSession(services, { threads: engine.threads });
      const attached = engine.sessions.attach(session);
      return {
        id: session.id,
        async [Symbol.asyncDispose]() {
          attached[Symbol.dispose]();
          await session[Symbol.asyncDispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
