/** The life of the daemon: configuration, engine, listeners, and an orderly end on SIGTERM. */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BuildError, type Logger } from '../../core/contracts/index.js';
import { parseListenAddress } from '../../core/control/addresses.js';
import { ControlServer } from '../../core/control/server.js';
import { serverCredentials } from '../../core/control/server-tls.js';
import { type EngineConfig, loadConfig, parseConfig } from '../../core/kernel/config/load.js';
import { Engine } from '../../core/kernel/engine.js';
import { openLogger } from '../../core/kernel/logger.js';
import { version } from '../../core/kernel/version.js';
import {
  currentPerson,
  type DefaultPaths,
  defaultPaths,
  systemPaths,
} from '../../core/util/default-paths.js';
import { notifySystemd } from '../../core/util/linux/notify.js';
import { builtinPlugins } from '../../plugins/index.js';
import { needsNamespace } from '../shared/rootless/launcher.js';
import type { DaemonFlags } from './flags.js';

export async function runDaemon(flags: DaemonFlags): Promise<void> {
  // Modes mean what they say, whatever the daemon was started with; sockets are nobody else's from the first moment.
  process.umask(0o022);
  if (process.geteuid?.() !== 0) throw await needsNamespace();
  const paths = defaultPaths(currentPerson(), flags.rootless);
  const config = await readConfig(flags, paths);
  const { log, debug, grpc, root } = config.settings;
  const logger = openLogger({ level: log.level ?? (debug ? 'debug' : 'info'), format: log.format ?? 'text' });
  if (!grpc.address && paths !== systemPaths) await makeSocketFolder(paths.socket);
  const addresses = (grpc.address ?? [`unix://${paths.socket}`]).map(parseListenAddress);
  const credentials = await serverCredentials(grpc.tls);
  const stopped = stopSignal(logger);

  await using engine = await Engine.open(
    { root: root ?? paths.root, plugins: builtinPlugins, config, logger, version },
    stopped,
  );
  const { control, sessions, tracing } = engine;
  await using server = new ControlServer({
    control,
    sessions,
    tracing,
    logger,
    credentials,
    ...(grpc.uid === undefined ? {} : { uid: grpc.uid }),
    ...(grpc.gid === undefined ? {} : { gid: grpc.gid }),
  });
  if (engine.workers.length === 0) logger.warn('no worker can run builds here: they will be refused');
  else logger.info(`found ${engine.workers.length} workers`);
  for (const address of addresses) logger.info(`running server on ${await server.listen(address)}`);
  notify('READY=1', logger);
  await new Promise<void>((resolve) => {
    if (stopped.aborted) resolve();
    else stopped.addEventListener('abort', () => resolve(), { once: true });
  });
  notify('STOPPING=1', logger);
  logger.info('stopping: running builds are canceled');
}

/** A service manager that does not listen is no reason not to build. */
function notify(state: string, logger: Logger): void {
  try {
    notifySystemd(state, process.env);
  } catch (error) {
    logger.warn(`cannot tell the service manager ${state}: ${(error as Error).message}`);
  }
}

/** The sticky bit keeps what cleans up runtime folders from taking the socket. BuildKit: EnsureUserAddressDir. */
async function makeSocketFolder(socket: string): Promise<void> {
  const dir = dirname(socket);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o1700);
}

/** The default file may be missing; one that was asked for may not. */
async function readConfig({ config, overrides }: DaemonFlags, paths: DefaultPaths): Promise<EngineConfig> {
  try {
    return await loadConfig(config ?? paths.config, overrides);
  } catch (error) {
    const missing = error instanceof BuildError && error.grpcCode === 'NotFound';
    if (config === undefined && missing) return parseConfig('', undefined, overrides);
    throw error;
  }
}

/** The first SIGTERM or SIGINT asks to stop, the second one does not wait any longer. */
function stopSignal(logger: Logger): AbortSignal {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    logger.info(`got signal ${signal}`);
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stop.signal;
}
