/** Lets builds that run come to their end, for so long and no longer. */
import type { Logger } from '../../core/contracts/index.js';
import { durationMs } from '../../core/kernel/config/gc-schema.js';
import type { EngineConfig } from '../../core/kernel/config/load.js';
import type { Engine } from '../../core/kernel/engine.js';
import { formatGoDuration } from '../../core/util/go-duration.js';

/** Milliseconds. */
export const drainTime = ({ settings }: EngineConfig): number => durationMs(settings.shutdown.drain) ?? 0;

/** Answers when no build runs, the time is over, or `hurry` aborts. New builds are refused from now on. */
export async function drain(
  { control }: Pick<Engine, 'control'>,
  ms: number,
  hurry: AbortSignal,
  logger: Logger,
): Promise<void> {
  const running = control.activity.running().length;
  if (running > 0 && ms > 0) {
    logger.info(`stopping: builds that run have ${formatGoDuration(ms)}`, { builds: running });
  }
  const over = AbortSignal.any([hurry, AbortSignal.timeout(ms)]);
  await control.drain(over);
  const left = control.activity.running().length;
  if (left > 0) logger.warn('stopping: builds are canceled', { builds: left });
}
