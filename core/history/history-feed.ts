/** What happens to builds, for whoever listens. Nobody's pace slows the builds: a listener has a queue of its own. */
import type { control } from '../../proto/index.js';
import { type Deferred, deferred, unlessAborted } from '../util/deferred.js';

export type HistoryEvent = control.BuildHistoryEvent;

/** BuildHistoryEventType. */
export const STARTED = 0;
export const COMPLETE = 1;
export const DELETED = 2;

export class HistoryFeed {
  readonly #listeners = new Set<Listener>();
  #closed = false;

  publish(event: HistoryEvent): void {
    for (const listener of this.#listeners) listener.push(event);
  }

  /** From now on. */
  subscribe(): Listener {
    const listener = new Listener(() => this.#listeners.delete(listener));
    if (this.#closed) listener.end();
    else this.#listeners.add(listener);
    return listener;
  }

  /** Listeners get what they have not read yet, and their end. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.end();
  }
}

class Listener implements Disposable {
  readonly #leave: () => void;
  readonly #events: HistoryEvent[] = [];
  #ended = false;
  #news: Deferred<void> = deferred();

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(event: HistoryEvent): void {
    this.#events.push(event);
    this.#news.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#news.resolve();
  }

  async *events(signal: AbortSignal): AsyncIterable<HistoryEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event) yield event;
      else if (this.#ended) return;
      else {
        this.#news = deferred();
        await unlessAborted(this.#news.promise, signal);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}
