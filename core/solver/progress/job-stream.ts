/**
 * Everything that one job's watchers see: replayed from the start for each reader, then live, until `close`.
 *
 * Invariants: (1) events are in the order in which they were reported; (2) when a vertex starts, its inputs that
 * are neither cached nor were ever completed are reported cached first, and theirs (E9.2): a match makes its inputs needless;
 * (3) when the stream closes, nothing is left started (E9.7). BuildKit: solver/progress.go.
 */
import type { ProgressEvent } from '../../contracts/progress.js';
import { type Deferred, deferred, unlessAborted } from '../../util/deferred.js';
import type { Digest } from '../../util/digest.js';
import type { Clock } from '../seams.js';

export type VertexEvent = Extract<ProgressEvent, { type: 'vertex' }>;

/** As long as it has not started. */
export const declared = ({
  digest,
  group,
  inputs,
  name,
}: Pick<VertexEvent, 'digest' | 'name' | 'inputs' | 'group'>): VertexEvent => ({
  type: 'vertex',
  digest,
  name,
  inputs,
  ...(group ? { group } : {}),
  cached: false,
  error: '',
});

export class JobStream {
  readonly #clock: Clock;
  readonly #onSkipped: (vertex: Digest) => void;
  readonly #events: ProgressEvent[] = [];
  readonly #vertices = new Map<Digest, VertexEvent>();
  /** Vertices below something cached: they end without an error whatever happens. */
  readonly #cached = new Set<Digest>();
  /** Once completed, a vertex has been looked at, also while its row is open again for what it does late. */
  readonly #completed = new Set<Digest>();
  #closed = false;
  /** Made when a reader waits. */
  #news: Deferred<void> | undefined;

  /** `onSkipped` hears of vertices that are cached without having been looked up. */
  constructor(clock: Clock, onSkipped: (vertex: Digest) => void = () => {}) {
    this.#clock = clock;
    this.#onSkipped = onSkipped;
  }

  push(event: ProgressEvent): void {
    if (this.#closed) return;
    if (event.type === 'vertex') this.#pushVertex(event);
    else this.#events.push(event);
    this.#wake();
  }

  close(): void {
    if (this.#closed) return;
    for (const vertex of this.#vertices.values()) {
      if (vertex.started !== undefined && vertex.completed === undefined)
        this.#events.push(this.#ended(vertex));
    }
    this.#closed = true;
    this.#wake();
  }

  async *read(signal: AbortSignal): AsyncIterable<ProgressEvent> {
    for (let at = 0; ; ) {
      const event = this.#events[at];
      if (event) {
        at++;
        yield event;
      } else if (this.#closed) {
        return;
      } else {
        this.#news ??= deferred();
        await unlessAborted(this.#news.promise, signal);
      }
    }
  }

  #pushVertex(event: VertexEvent): void {
    this.#vertices.set(event.digest, event);
    if (event.completed !== undefined) this.#completed.add(event.digest);
    if (event.started !== undefined) this.#reportInputsCached(event, event.started);
    if (event.cached) this.#markCached(event);
    this.#events.push(event);
  }

  #reportInputsCached(consumer: VertexEvent, started: number): void {
    const consumers = [consumer];
    for (let next = consumers.pop(); next; next = consumers.pop()) {
      for (const digest of next.inputs) {
        const input = this.#vertices.get(digest);
        if (!input || input.cached || this.#completed.has(digest)) continue;
        const cached: VertexEvent = { ...input, started, completed: started, cached: true };
        this.#vertices.set(digest, cached);
        this.#cached.add(digest);
        this.#events.push(cached);
        this.#onSkipped(digest);
        consumers.push(cached);
      }
    }
  }

  #markCached(vertex: VertexEvent): void {
    const vertices = [vertex];
    for (let next = vertices.pop(); next; next = vertices.pop()) {
      if (this.#cached.has(next.digest)) continue;
      this.#cached.add(next.digest);
      for (const digest of next.inputs) {
        const input = this.#vertices.get(digest);
        if (input) vertices.push(input);
      }
    }
  }

  #ended(vertex: VertexEvent): VertexEvent {
    const error = this.#cached.has(vertex.digest) ? vertex.error : vertex.error || 'context canceled';
    return { ...vertex, completed: this.#clock.now(), error };
  }

  #wake(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }
}
