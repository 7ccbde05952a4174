import { LRUCache } from 'lru-cache';
import type { SessionGroup } from '../../../core/contracts/session.js';
import { unlessAborted } from '../../../core/util/deferred.js';

/**
 * Answers of a moment ago, so that one build asks the registry once, however many of its steps start from one
 * image. Remembered per set of sessions: the next build asks anew. An answer that several wait for is found under a
 * deadline of its own, so that one of them may leave.
 */
export class SharedAnswers<T extends object> {
  readonly #known = new LRUCache<string, Promise<T>>({ max: 1000, ttl: 60_000 });

  get(
    question: { readonly key: string; readonly sessions: SessionGroup; readonly fresh: boolean },
    ask: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const ids = question.sessions.ids();
    if (ids.length === 0) return ask(signal);
    const key = [question.key, ...ids].join(' ');
    const known = question.fresh ? undefined : this.#known.get(key);
    if (known) return unlessAborted(known, signal);
    const asking = ask(AbortSignal.timeout(deadline));
    this.#known.set(key, asking);
    asking.catch(() => this.#known.get(key) === asking && this.#known.delete(key));
    return unlessAborted(asking, signal);
  }
}

const deadline = 300_000;
