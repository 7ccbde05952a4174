/** Runs `work` over `inputs`, at most `width` at once, and answers results in order. Memory holds `width` of them. */
export async function* inOrder<In, Out>(
  inputs: Iterable<In>,
  width: number,
  work: (input: In, signal: AbortSignal) => Promise<Out>,
  signal: AbortSignal,
): AsyncGenerator<Out, void, undefined> {
  const failing = new AbortController();
  const combined = AbortSignal.any([signal, failing.signal]);
  const running: Promise<Out>[] = [];
  const iterator = inputs[Symbol.iterator]();
  const startNext = (): void => {
    const next = iterator.next();
    if (next.done) return;
    const started = work(next.value, combined);
    started.catch(() => {}); // It is awaited in its turn; until then its failure is not unhandled.
    running.push(started);
  };
  try {
    for (let started = 0; started < width; started++) startNext();
    for (let head = running.shift(); head; head = running.shift()) {
      const result = await head;
      startNext();
      yield result;
    }
  } finally {
    // The consumer left, or a piece failed: nothing may still work on the tree when this settles.
    failing.abort();
    await Promise.allSettled(running);
  }
}
