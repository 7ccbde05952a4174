/** The life of the daemon: configuration, engine, listeners, and an orderly end on SIGTERM. */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BuildError, type Logger } from '../../core/contracts/index.js';
import { type ListenAddress, parseListenAddress } from '../../core/control/addresses.js';
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
import { drain, drainTime } from './drain.js';
import type { DaemonFlags } from './flags.js';
import { logOptions } from './log-options.js';
import { Operations } from './operations.js';
import { checkConfig, dumpConfig } from './show-config.js';
import { StopSignals } from './stop-signals.js';

/** What canceling builds and closing may take, in milliseconds. */
const CLOSING_MS = 30_000;

export async function runDaemon(flags: DaemonFlags): Promise<void> {
  // Modes mean what they say, whatever the daemon was started with; sockets are nobody else's from the first moment.
  process.umask(0o022);
  if (process.geteuid?.() !== 0) throw await needsNamespace();
  const paths = defaultPaths(currentPerson(), flags.rootless);
  const read = (): Promise<EngineConfig> => readConfig(flags, paths);
  const config = await read();
  const { grpc, root } = config.settings;
  const logger = openLogger(logOptions(config));
  if (!grpc.address && paths !== systemPaths) await makeSocketFolder(paths.socket);
  const addresses = (grpc.address ?? [`unix://${paths.socket}`]).map(parseListenAddress);
  const credentials = await serverCredentials(grpc.tls);
  const signals = new StopSignals(logger);

  const traceSocket = traceSocketOf(config, addresses);
  await using engine = await Engine.open(
    {
      root: root ?? paths.root,
      plugins: builtinPlugins,
      config,
      logger,
      version,
      ...(traceSocket === undefined ? {} : { traceSocket }),
    },
    signals.stop,
  );
  await using operations = await Operations.open({ engine, config, read, logger });
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
  await signals.asked();
  const ms = drainTime(operations.config);
  // systemd would end the daemon on its own after a time that it takes from elsewhere.
  notify(`STOPPING=1\nEXTEND_TIMEOUT_USEC=${(ms + CLOSING_MS) * 1000}`, logger);
  await drain(engine, ms, signals.hurry, logger);
}

/** Named after a socket that is this daemon's alone; without any, steps have nowhere to send spans. */
function traceSocketOf({ settings }: EngineConfig, addresses: readonly ListenAddress[]): string | undefined {
  const first = addresses.find((address) => address.kind === 'unix');
  return settings.otel.socketPath ?? (first && `${first.path.replace(/\.sock$/, '')}.otel-grpc.sock`);
}

/** What `buildkitd config dump` and `config check` print. */
export async function showConfig(flags: DaemonFlags): Promise<string> {
  const paths = defaultPaths(currentPerson(), flags.rootless);
  const config = await readConfig(flags, paths);
  if (flags.command === 'check') return checkConfig(config);
  return dumpConfig(config, { root: paths.root, address: `unix://${paths.socket}` });
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
