/**
 * Which part of a stack of layers to flatten when it no longer fits into a mount: of all runs of neighbours in which no
 * layer has more than half of the entries, the one that costs the fewest links for each layer that goes.
 *
 * So an entry is linked again only into a layer that is at least twice as large as the one it comes from: over a
 * chain of n entries at most log2(n) times. Large base layers are left alone until everything else is larger. Without that
 * limit the youngest layers join the one flattened just before, which is linked anew each time.
 */
export type Window = readonly [start: number, end: number];

/** `least` layers, or more of them; where the limit leaves none, the `least` neighbours with the fewest entries. */
export function windowToFlatten(weights: readonly number[], least: number): Window {
  let best: Window | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (let start = 0; start + least <= weights.length; start++) {
    let [total, largest] = [0, 0];
    for (let end = start + 1; end <= weights.length; end++) {
      const weight = weights[end - 1]!;
      total += weight;
      largest = Math.max(largest, weight);
      const size = end - start;
      if (size < least || largest * 2 > total) continue;
      const cost = total / (size - 1);
      if (cost < bestCost) [best, bestCost] = [[start, end], cost];
    }
  }
  return best ?? cheapestWindow(weights, least);
}

function cheapestWindow(weights: readonly number[], size: number): Window {
  let sum = weights.slice(0, size).reduce((total, weight) => total + weight, 0);
  let [best, bestStart] = [sum, 0];
  for (let start = 1; start + size <= weights.length; start++) {
    sum += weights[start + size - 1]! - weights[start - 1]!;
    if (sum < best) [best, bestStart] = [sum, start];
  }
  return [bestStart, Math.min(weights.length, bestStart + size)];
}
