import { LRUCache } from 'lru-cache';
import type { SessionGroup } from '../../../core/contracts/session.js';
import { SharedRuns } from '../../../core/util/shared-runs.js';

export interface Question<T> {
  readonly key: string;
  readonly sessions: SessionGroup;
  /** A remembered answer that does not do is asked for again. */
  readonly fits?: (answer: T) => boolean;
}

/**
 * What a remote answered a moment ago, so that the steps of one build agree on it and ask once. Remembered per set of
 * sessions: the next build asks anew. Those who ask at the same time wait for one answer; the question is dropped
 * when the last of them leaves. BuildKit: solver/resolvercache.go.
 */
export class RecentAnswers<T extends object> {
  readonly #known = new LRUCache<string, T>({ max: 1000, ttl: 300_000 });
  readonly #running = new SharedRuns<T>();

  async get(
    { key, sessions, fits = () => true }: Question<T>,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const ids = sessions.ids();
    if (ids.length === 0) return ask(signal);
    const full = JSON.stringify([key, ids]);
    const known = this.#known.get(full);
    if (known && fits(known)) return known;
    const answer = await this.#running.run(full, signal, ask);
    this.#known.set(full, answer);
    return answer;
  }
}
