/**
 * Which part of a stack of layers to flatten when it no longer fits into a mount: the window of neighbours with the
 * fewest entries. Large base layers are so left alone until everything else is larger, and over a long chain each file
 * is linked again only a logarithmic number of times.
 */
export function cheapestWindow(
  weights: readonly number[],
  size: number,
): readonly [start: number, end: number] {
  let sum = weights.slice(0, size).reduce((total, weight) => total + weight, 0);
  let [best, bestStart] = [sum, 0];
  for (let start = 1; start + size <= weights.length; start++) {
    sum += weights[start + size - 1]! - weights[start - 1]!;
    if (sum < best) [best, bestStart] = [sum, start];
  }
  return [bestStart, Math.min(weights.length, bestStart + size)];
}
