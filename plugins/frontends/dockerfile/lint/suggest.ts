/**
 * The name that was probably meant: the first of those at the smallest distance, of two letters at most. Checks say what
 * BuildKit's say, so case counts and a swap of letters is two changes. BuildKit: util/suggest.
 */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = 3;
  for (const candidate of known) {
    if (candidate === name) return undefined;
    const distance = editDistance(name, candidate, limit);
    if (distance < limit) [best, limit] = [candidate, distance];
  }
  return best;
}

/** Gives up at `limit`: a file may have thousands of names that are compared with thousands of others. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  let row = [...last];
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const distance = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      row[j] = distance;
      if (distance < least) least = distance;
    }
    // No row has less than the one before.
    if (least >= limit) return limit;
    [last, row] = [row, last];
  }
  return last[b.length]!;
}
