import { invalid } from '../../core/contracts/index.js';
import { parseGoDuration } from '../../core/util/go-duration.js';

/** Milliseconds. */
export function parseDuration(option: string, text: string): number {
  const duration = parseGoDuration(text);
  if (duration !== undefined) return duration;
  throw invalid(
    'buildctl.duration',
    `--${option} ${text}: not a duration, expected a form like 48h or 1h30m`,
  );
}
