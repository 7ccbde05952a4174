/**
 * What one vertex has reported, for whoever watches now and for those who join later. Bars are coalesced: a watcher
 * hears of one at most every `barInterval` ms, and of its end.
 */
import { BuildError } from '../../contracts/errors.js';
import type { Progress, ProgressEvent, StatusUpdate, Warning } from '../../contracts/progress.js';
import type { Digest } from '../../util/digest.js';
import { append, none, without } from '../../util/lists.js';
import type { Clock } from '../seams.js';
import type { JobStream, VertexEvent } from './job-stream.js';

type StatusEvent = Extract<ProgressEvent, { type: 'status' }>;

/** Milliseconds. */
const barInterval = 100;

interface Bar {
  readonly event: StatusEvent;
  readonly shownAt: number;
  readonly pending: boolean;
}

export class TaskLog implements Progress {
  readonly #clock: Clock;
  /** A list: few builds share a step. */
  #watchers: readonly JobStream[] = none;
  /** Made with the first one: most steps have none. */
  #bars: Map<string, Bar> | undefined;
  /** Logs and warnings. */
  #lines: readonly ProgressEvent[] = none;
  /** As long as it has not started. */
  readonly #declared: VertexEvent;
  #vertex: VertexEvent;
  /** How many make its result now, after it completed. */
  #resumed = 0;

  constructor(declared: VertexEvent, clock: Clock) {
    this.#declared = declared;
    this.#vertex = declared;
    this.#clock = clock;
  }

  get digest(): Digest {
    return this.#vertex.digest;
  }

  /** Replays everything so far. */
  attach(watcher: JobStream): void {
    if (this.#watchers.includes(watcher)) return;
    this.#watchers = append(this.#watchers, watcher);
    watcher.push(this.#vertex);
    if (this.#bars) for (const { event } of this.#bars.values()) watcher.push(event);
    for (const line of this.#lines) watcher.push(line);
  }

  detach(watcher: JobStream): void {
    this.#watchers = without(this.#watchers, watcher);
  }

  started(cached: boolean): void {
    this.#vertex = { ...this.#declared, started: this.#clock.now(), cached };
    this.#publish(this.#vertex);
  }

  completed(error?: unknown): void {
    this.#flush();
    const message = error === undefined ? '' : BuildError.from(error).message;
    this.#vertex = { ...this.#vertex, completed: this.#clock.now(), error: message };
    this.#publish(this.#vertex);
  }

  /** BuildKit: util/progress/controller, where an image that is pulled late starts and completes once more. */
  resume(): Disposable {
    if (this.#resumed === 0 && this.#vertex.completed === undefined) return { [Symbol.dispose]() {} };
    if (this.#resumed++ === 0) {
      const { completed: _, ...running } = this.#vertex;
      this.#vertex = { ...running, cached: false };
      this.#publish(this.#vertex);
    }
    return { [Symbol.dispose]: () => this.#suspend() };
  }

  #suspend(): void {
    if (--this.#resumed === 0) this.completed();
  }

  /** It took no time here: its result is somebody else's. */
  shared(): void {
    this.started(true);
    this.completed();
  }

  status(id: string, update: StatusUpdate): void {
    const now = this.#clock.now();
    this.#bars ??= new Map();
    const bar = this.#bars.get(id);
    const event = advance(bar?.event ?? this.#newBar(id, now), update, now);
    const due = !bar || event.completed !== undefined || now - bar.shownAt >= barInterval;
    this.#bars.set(id, { event, shownAt: due ? now : bar.shownAt, pending: !due });
    if (due) this.#publish(event);
  }

  log(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    this.#line({ type: 'log', vertex: this.digest, timestamp: this.#clock.now(), stream, data });
  }

  warn(warning: Warning): void {
    this.#line({ type: 'warning', vertex: this.digest, ...warning });
  }

  #newBar(id: string, now: number): StatusEvent {
    return {
      type: 'status',
      vertex: this.digest,
      id,
      name: id,
      current: 0,
      total: 0,
      timestamp: now,
      started: now,
    };
  }

  #line(event: ProgressEvent): void {
    this.#lines = append(this.#lines, event);
    this.#publish(event);
  }

  /** Shows the latest state of bars that were coalesced away. */
  #flush(): void {
    if (!this.#bars) return;
    for (const [id, bar] of this.#bars) {
      if (!bar.pending) continue;
      this.#bars.set(id, { ...bar, pending: false });
      this.#publish(bar.event);
    }
  }

  #publish(event: ProgressEvent): void {
    for (const watcher of this.#watchers) watcher.push(event);
  }
}

function advance(event: StatusEvent, update: StatusUpdate, now: number): StatusEvent {
  const { completed: _, ...open } = event;
  return {
    ...open,
    name: update.name ?? event.name,
    current: update.current ?? event.current,
    total: update.total ?? event.total,
    timestamp: now,
    ...(update.completed ? { completed: now } : {}),
  };
}
