/** When a step ran. A step that is taken up again runs in several intervals; an open one has no stop. */
export interface Interval {
  readonly start: number;
  readonly stop: number | undefined;
}

/** Overlaps joined, in order of time. An open interval swallows all that begins after it. */
export function mergeIntervals(intervals: Iterable<Interval>): Interval[] {
  const merged: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last === undefined || (last.stop !== undefined && last.stop < next.start)) merged.push(next);
    else merged[merged.length - 1] = { start: last.start, stop: laterStop(last.stop, next.stop) };
  }
  return merged;
}

const laterStop = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : Math.max(a, b);

/** Milliseconds in all; an open interval counts up to `now`. */
export const totalDuration = (intervals: readonly Interval[], now: number): number =>
  intervals.reduce((sum, { start, stop }) => sum + Math.max((stop ?? now) - start, 0), 0);
