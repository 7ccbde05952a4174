/** What pairs of measurements say: differences within pairs, since a machine changes between one pair and the next. */

export interface Pair {
  readonly off: number;
  readonly on: number;
}

export interface Verdict {
  /** Medians, in the unit of the pairs. */
  readonly off: number;
  readonly on: number;
  /** Of what `on` costs more, as a part of `off`: the median, and the interval that holds the true one in 95 of 100 cases. */
  readonly more: number;
  readonly from: number;
  readonly to: number;
}

export function verdict(pairs: readonly Pair[]): Verdict {
  const ratios = pairs.map(({ off, on }) => on / off - 1).toSorted((a, b) => a - b);
  const outside = ranksOutside(ratios.length);
  return {
    off: median(pairs.map(({ off }) => off)),
    on: median(pairs.map(({ on }) => on)),
    more: median(ratios),
    from: ratios[outside]!,
    to: ratios[ratios.length - 1 - outside]!,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** With less than six pairs not even the whole range is as sure as that. */
export const LEAST_PAIRS = 6;

/**
 * How many values to leave out at either end, so that the median lies within the rest in 95 of 100 cases, however the values
 * are spread: as many as that a fair coin, tossed for each value, shows so few heads in 2.5 of 100.
 */
export function ranksOutside(count: number): number {
  if (count < LEAST_PAIRS) throw new Error(`${count} pairs say nothing, at least ${LEAST_PAIRS} are needed`);
  let chance = 0.5 ** count;
  let sum = chance;
  let outside = 0;
  for (;;) {
    chance = (chance * (count - outside)) / (outside + 1);
    if (sum + chance > 0.025) return outside;
    sum += chance;
    outside++;
  }
}
