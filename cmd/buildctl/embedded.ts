/** The engine in this process, with this program as its client. */
import { resolve } from 'node:path';
import type { Daemon } from '../../client/daemon.js';
import { silentTracing } from '../../core/contracts/index.js';
import { loadConfig, parseConfig } from '../../core/kernel/config/load.js';
import { openLogger } from '../../core/kernel/logger.js';
import { defaultPaths } from '../../core/util/default-paths.js';
import { openEngine } from '../../index.js';
import type { Context } from './context.js';
import { startOver } from './start-over.js';

export async function openEmbedded({
  options,
  tracing,
  signal,
  stderr,
}: Omit<Context, 'daemon'>): Promise<Daemon> {
  if (process.geteuid?.() !== 0) throw await startOver();
  const config = options.config ? await loadConfig(options.config) : parseConfig('');
  const root = resolve(options.root ?? config.settings.root ?? defaultPaths().root);
  stderr.write(`no daemon: the engine runs in this process, state in ${root}\n`);
  const logger = openLogger({ level: options.debug ? 'debug' : 'warn', format: options.logFormat }, stderr);
  // Without spans of its own, this program leaves tracing to the plugins.
  const own = tracing === silentTracing ? {} : { tracing };
  return openEngine({ root, config, logger, ...own }, signal);
}
