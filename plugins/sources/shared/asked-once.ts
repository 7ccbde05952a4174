import type { OpenSource, SourceContext } from '../../../core/contracts/source.js';

type Keyed = Omit<Awaited<ReturnType<OpenSource['cacheKey']>>, 'done'>;

/** A source whose cache key and tree follow from one answer, which is asked for when either is wanted first. */
export function askedOnce<T>({
  ask,
  key,
  fetch,
}: {
  readonly ask: (context: SourceContext, signal: AbortSignal) => Promise<T>;
  readonly key: (answer: T) => Keyed;
  readonly fetch: (answer: T, context: SourceContext, signal: AbortSignal) => ReturnType<OpenSource['fetch']>;
}): OpenSource {
  let answer: T | undefined;
  const answered = async (context: SourceContext, signal: AbortSignal): Promise<T> => {
    answer ??= await ask(context, signal);
    return answer;
  };
  return {
    cacheKey: async (_index, context, signal) => ({ ...key(await answered(context, signal)), done: true }),
    fetch: async (context, signal) => fetch(await answered(context, signal), context, signal),
  };
}
