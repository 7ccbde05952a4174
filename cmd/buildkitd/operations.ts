/** What helps those who run the daemon: the debug address, the watchdog, and reading the configuration again. */

import { configChanges } from '../../core/kernel/config/changes.js';
import { durationMs } from '../../core/kernel/config/gc-schema.js';
import type { EngineConfig } from '../../core/kernel/config/load.js';
import type { Engine } from '../../core/kernel/engine.js';
import type { DaemonLogger } from '../../core/kernel/logger.js';
import { Watchdog } from '../../core/kernel/watchdog.js';
import { DisposeStack } from '../../core/util/dispose.js';
import { logOptions } from './log-options.js';

export interface OperationsOptions {
  readonly engine: Engine;
  readonly config: EngineConfig;
  /** The configuration as it is now on disk, with the flags of this process. */
  readonly read: () => Promise<EngineConfig>;
  readonly logger: DaemonLogger;
}

export class Operations implements AsyncDisposable {
  readonly #options: OperationsOptions;
  readonly #owned = new DisposeStack();
  #config: EngineConfig;

  private constructor(options: OperationsOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  static async open(options: OperationsOptions): Promise<Operations> {
    const operations = new Operations(options);
    const { grpc, watchdog } = options.config.settings;
    const thresholdMs = durationMs(watchdog.threshold) ?? 0;
    if (thresholdMs > 0) await operations.#owned.use(new Watchdog(thresholdMs, options.logger));
    if (grpc.debugAddress) await operations.#serve(grpc.debugAddress);
    const onHangUp = (): void => void operations.reload();
    process.on('SIGHUP', onHangUp);
    await operations.#owned.defer(() => void process.off('SIGHUP', onHangUp));
    return operations;
  }

  /** As it was read last. */
  get config(): EngineConfig {
    return this.#config;
  }

  /** A configuration with an error changes nothing. */
  async reload(): Promise<void> {
    const { read, engine, logger } = this.#options;
    try {
      const next = await read();
      const { applied, needRestart } = configChanges(this.#config.settings, next.settings);
      engine.reload(next);
      logger.reconfigure(logOptions(next));
      this.#config = next;
      if (applied.length + needRestart.length === 0) logger.info('configuration read again: nothing changed');
      if (applied.length > 0) logger.info('configuration read again', { changed: applied.join(', ') });
      if (needRestart.length > 0)
        logger.warn('these changes need a restart', { keys: needRestart.join(', ') });
    } catch (err) {
      logger.error('the configuration was not read again', { err });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }

  /** Nobody pays for the metrics of a daemon that does not show them. */
  async #serve(address: string): Promise<void> {
    const { engine, logger } = this.#options;
    const [{ DaemonMetrics }, { debugRoutes }, { DebugServer }] = await Promise.all([
      import('./debug/metrics.js'),
      import('./debug/routes.js'),
      import('./debug/server.js'),
    ]);
    const metrics = await this.#owned.use(new DaemonMetrics(engine));
    const server = await this.#owned.use(new DebugServer(debugRoutes(engine, metrics), logger));
    logger.info(`debug address is ${await server.listen(address)}`);
  }
}
