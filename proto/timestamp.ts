/** google.protobuf.Timestamp against milliseconds with a fraction, as the progress contract counts them. */
import type { wellknown } from './index.js';

/** Exact to the microsecond for present dates: a double holds no more. */
export function timestampOf(milliseconds: number): wellknown.Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = Math.round((milliseconds - seconds * 1000) * 1000) * 1000;
  return nanos < 1_000_000_000 ? { seconds, nanos } : { seconds: seconds + 1, nanos: 0 };
}

export const millisecondsOf = (timestamp: { readonly seconds: number; readonly nanos: number }): number =>
  timestamp.seconds * 1000 + timestamp.nanos / 1e6;
