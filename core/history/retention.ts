/** Which records are too old: those beyond the newest `maxEntries` that ended more than `maxAge` ago. Pinned ones stay. */
import { millisecondsOf } from '../../proto/timestamp.js';
import type { BuildRecord } from './history-book.js';

export interface HistoryLimits {
  /** Milliseconds. */
  readonly maxAge: number;
  readonly maxEntries: number;
}

export function expired(
  records: readonly BuildRecord[],
  { maxAge, maxEntries }: HistoryLimits,
  now: number,
): readonly BuildRecord[] {
  const endOf = ({ CompletedAt }: BuildRecord): number => (CompletedAt ? millisecondsOf(CompletedAt) : 0);
  return records
    .filter(({ pinned }) => !pinned)
    .sort((a, b) => endOf(b) - endOf(a))
    .slice(maxEntries)
    .filter((record) => endOf(record) < now - maxAge);
}
