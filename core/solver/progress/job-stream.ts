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

/** What a stream remembers of a vertex: one thing to look up, whatever is reported. */
interface Row {
  /** The last that was told of it. */
  event: VertexEvent;
  /** Once completed, it has been looked at, also while its row is open again for what it does late. */
  completed: boolean;
  /** It is below something cached: it ends without an error whatever happens. */
  spared: boolean;
}

export class JobStream {
  readonly #clock: Clock;
  readonly #onSkipped: (vertex: Digest) => void;
  readonly #events: ProgressEvent[] = [];
  readonly #rows = new Map<Digest, Row>();
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
    for (const row of this.#rows.values()) {
      const { started, completed } = row.event;
      if (started !== undefined && completed === undefined) this.#events.push(this.#ended(row));
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
    const { cached, completed, digest, started } = event;
    const known = this.#rows.get(digest);
    const row = known ?? { event, completed: false, spared: false };
    // Its inputs were told of when it started: once is enough.
    const starts = started !== undefined && started !== known?.event.started;
    row.event = event;
    if (completed !== undefined) row.completed = true;
    if (!known) this.#rows.set(digest, row);
    if (starts) this.#reportInputsCached(event, started);
    if (cached) this.#spare(row);
    this.#events.push(event);
  }

  #reportInputsCached(consumer: VertexEvent, started: number): void {
    let skipped: VertexEvent[] | undefined;
    for (let next: VertexEvent | undefined = consumer; next; next = skipped?.pop()) {
      for (const digest of next.inputs) {
        const input = this.#rows.get(digest);
        if (!input || input.event.cached || input.completed) continue;
        const cached: VertexEvent = { ...input.event, started, completed: started, cached: true };
        input.event = cached;
        input.spared = true;
        this.#events.push(cached);
        this.#onSkipped(digest);
        skipped ??= [];
        skipped.push(cached);
      }
    }
  }

  /** Together with all that it rests on. */
  #spare(top: Row): void {
    const open = [top];
    for (let row = open.pop(); row; row = open.pop()) {
      if (row.spared) continue;
      row.spared = true;
      for (const digest of row.event.inputs) {
        const input = this.#rows.get(digest);
        if (input) open.push(input);
      }
    }
  }

  #ended({ event, spared }: Row): VertexEvent {
    return {
      ...event,
      completed: this.#clock.now(),
      error: spared ? event.error : event.error || 'context canceled',
    };
  }

  #wake(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }
}
