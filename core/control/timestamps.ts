/** Milliseconds since the epoch (with fraction) to the wire's seconds and nanoseconds, and back. */
import type { wellknown } from '../../proto/index.js';

export function toTimestamp(ms: number): wellknown.Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

export const optionalTimestamp = (ms: number | undefined): wellknown.Timestamp | undefined =>
  ms === undefined ? undefined : toTimestamp(ms);

/** RFC 3339 with nine digits, as Go's RFC3339Nano reads it. */
export function rfc3339Nano(ms: number): string {
  const { seconds, nanos } = toTimestamp(ms);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
}
