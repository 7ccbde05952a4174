/**
 * Works on all items at once and answers the results in their order. The first failure aborts the others, and all have
 * stopped when this settles: the caller may take away what they worked on.
 */
export async function together<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const running = [...items].map((item) => work(item, either));
  try {
    return await Promise.all(running);
  } finally {
    stop.abort();
    await Promise.allSettled(running);
  }
}
