import type { EngineConfig } from '../../core/kernel/config/load.js';
import type { LogOptions } from '../../core/kernel/logger.js';

/** An explicit level wins over the older switches. */
export function logOptions({ settings: { log, debug, trace } }: EngineConfig): LogOptions {
  const level = log.level ?? (trace ? 'trace' : debug ? 'debug' : 'info');
  return { level, format: log.format ?? 'text' };
}
