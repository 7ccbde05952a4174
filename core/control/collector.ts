/**
 * Garbage collection by itself: a second after a build has ended, and not within a minute of the last time. Wishes that
 * come meanwhile are one wish, and it never runs twice at once. BuildKit: control/control.go throttledGC.
 */
import type { GcRule, Logger, Worker, Workers } from '../contracts/index.js';
import { isCanceled } from '../contracts/index.js';
import { type Clock, systemClock } from '../util/clock.js';

const AFTER_BUILD_MS = 1000;
const BETWEEN_MS = 60_000;
/** A process that lived for one build only collects before it ends, if nobody did for so long. */
const OVERDUE_MS = 600_000;

export interface CollectorOptions {
  readonly workers: Workers;
  /** Asked each time: the configuration may be read again. */
  readonly rules: (worker: Worker) => readonly GcRule[];
  /** When the oldest of the builds that run began, in Unix milliseconds. */
  readonly oldestBegan: () => number;
  /** Told of every record that is gone, as `<worker>::<ref>`. */
  readonly removed: (results: readonly string[]) => Promise<void>;
  /** Sweeps what names records that are gone; once, for what the last process left. */
  readonly sweep: () => Promise<void>;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Remembers over processes when it ran last. Absent: a process that ends at once collects nothing. */
  readonly lastRun?: LastRun;
}

/** Unix milliseconds. */
export interface LastRun {
  get(): number | undefined;
  set(at: number): Promise<void>;
}

export interface Collected {
  readonly records: number;
  readonly bytes: number;
}

export class Collector implements AsyncDisposable {
  readonly #options: CollectorOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #running: Promise<Collected> | undefined;
  #pending: Disposable | undefined;
  #lastEnd = Number.NEGATIVE_INFINITY;
  #swept = false;
  /** A build has ended since the last time. */
  #wanted = false;
  /** It ran after some build of this process. */
  #servedBuilds = false;
  readonly #lastBefore: number;
  /** Of this process. */
  #total: Collected & { readonly runs: number } = { records: 0, bytes: 0, runs: 0 };

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lastBefore = options.lastRun?.get() ?? Date.now();
  }

  get total(): Collected & { readonly runs: number } {
    return this.#total;
  }

  buildEnded(): void {
    this.#wanted = true;
    this.soon();
  }

  /** When its time has come. */
  soon(): void {
    if (this.#pending || this.#stop.signal.aborted) return;
    const wait = Math.max(AFTER_BUILD_MS, this.#lastEnd + BETWEEN_MS - this.#clock.now());
    this.#pending = this.#clock.after(wait, () => {
      this.#pending = undefined;
      const again = (): void => this.soon();
      // Its failure is told to those who have begun it.
      if (this.#running) this.#running.then(again, again);
      else this.run().catch((err: unknown) => this.#failed(err));
    });
  }

  /** At once; joins the one that runs. */
  run(): Promise<Collected> {
    this.#running ??= this.#collect().finally(() => {
      this.#running = undefined;
      this.#lastEnd = this.#clock.now();
    });
    return this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { lastRun } = this.#options;
    // A new state folder has no garbage; from now on it may become due.
    if (lastRun && lastRun.get() === undefined) await lastRun.set(this.#lastBefore);
    if (this.#overdue()) await this.run().catch((err: unknown) => this.#failed(err));
    this.#pending?.[Symbol.dispose]();
    this.#pending = undefined;
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }

  #overdue(): boolean {
    if (!this.#options.lastRun || !this.#wanted || this.#servedBuilds) return false;
    return !this.#stop.signal.aborted && Date.now() - this.#lastBefore > OVERDUE_MS;
  }

  async #collect(): Promise<Collected> {
    this.#servedBuilds ||= this.#wanted;
    this.#wanted = false;
    const { workers, sweep, logger, lastRun } = this.#options;
    if (!this.#swept) await sweep();
    this.#swept = true;
    const each = await Promise.all(workers.list.map((worker) => this.#collectFrom(worker)));
    const records = each.reduce((sum, one) => sum + one.records, 0);
    const bytes = each.reduce((sum, one) => sum + one.bytes, 0);
    const { runs, ...before } = this.#total;
    this.#total = { records: before.records + records, bytes: before.bytes + bytes, runs: runs + 1 };
    await lastRun?.set(Date.now());
    if (records > 0) logger.debug('garbage was collected', { records, bytes });
    return { records, bytes };
  }

  async #collectFrom(worker: Worker): Promise<Collected> {
    const { rules, oldestBegan, removed } = this.#options;
    const wanted = rules(worker);
    if (wanted.length === 0) return { records: 0, bytes: 0 };
    const gone: string[] = [];
    let bytes = 0;
    try {
      for await (const { id, size } of worker.refs.collect(wanted, oldestBegan(), this.#stop.signal)) {
        gone.push(`${worker.profile.id}::${id}`);
        bytes += size;
      }
    } finally {
      await removed(gone);
    }
    return { records: gone.length, bytes };
  }

  #failed(err: unknown): void {
    if (isCanceled(err)) return;
    this.#options.logger.error('garbage collection failed', { err });
  }
}
