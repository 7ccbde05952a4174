/**
 * Works on all items at once and answers the results in their order. The first failure aborts the others, and all have
 * stopped when this settles: the caller may take away what they worked on.
 */
export async function together<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result[]> {
  const [first, ...others] = items;
  if (first === undefined) return [];
  // A combined signal costs more than most work that comes alone.
  if (others.length === 0) return [await work(first, signal)];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const running = [first, ...others].map((item) => work(item, either));
  try {
    return await Promise.all(running);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(running);
    throw error;
  }
}
