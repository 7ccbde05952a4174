/** RFC 3339 with nine digits, as the header of Status carries the daemon's clock (wire facts G6.3). */
import { timestampOf } from '../../proto/timestamp.js';

export function rfc3339Nano(ms: number): string {
  const { seconds, nanos } = timestampOf(ms);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
}
