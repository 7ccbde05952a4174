/** What garbage collection wants to keep and in which order it lets go. BuildKit: cache/manager.go. */
import type { GcRule } from '../contracts/refs.js';

/** Bytes to keep; 0 means that there is no such aim, and all that matches goes. */
export function bytesToKeep(
  total: number,
  free: number,
  { maxUsedSpace, reservedSpace, minFreeSpace }: GcRule,
): number {
  if (maxUsedSpace === 0 && reservedSpace === 0 && minFreeSpace === 0) return 0;
  const missing = minFreeSpace - free;
  if (missing > 0) {
    const after = total - missing;
    return Math.max(maxUsedSpace === 0 ? after : Math.min(maxUsedSpace, after), reservedSpace);
  }
  // Only a floor of free space, and it is met: keep everything.
  const keep = minFreeSpace !== 0 && maxUsedSpace === 0 ? total : maxUsedSpace;
  return Math.max(keep, reservedSpace);
}

export interface Candidate {
  readonly usage: { readonly lastUsedAt?: number; readonly usageCount: number };
  readonly record: { readonly createdAt: number; readonly id: string };
}

/**
 * Least worth keeping first: the sum of two ranks, by last use and by number of uses, each scaled to at most one. Equal
 * values share a rank; among equals the older one goes first.
 */
export function byWorth<T extends Candidate>(candidates: readonly T[]): readonly T[] {
  const recency = ranks(candidates.map(({ usage }) => usage.lastUsedAt ?? 0));
  const frequency = ranks(candidates.map(({ usage }) => usage.usageCount));
  return candidates
    .map((candidate, at) => ({ candidate, worth: recency[at]! + frequency[at]! }))
    .sort((a, b) => a.worth - b.worth || byAge(a.candidate, b.candidate))
    .map(({ candidate }) => candidate);
}

function byAge({ record: a }: Candidate, { record: b }: Candidate): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

/** Ranks count from 1, for 0, and rise with each higher value; scaled by the highest. */
function ranks(values: readonly number[]): readonly number[] {
  const distinct = [...new Set(values.filter((value) => value > 0))].sort((a, b) => a - b);
  const rank = new Map(distinct.map((value, at) => [value, at + 2]));
  return values.map((value) => (rank.get(value) ?? 1) / (distinct.length + 1));
}
