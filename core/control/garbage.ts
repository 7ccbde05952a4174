/** What is removed on request and by itself, and what goes along with it. */
import type { control, debug } from '../../proto/index.js';
import type { GcRule, Logger, Worker, Workers } from '../contracts/index.js';
import { Collector, type LastRun } from './collector.js';
import { forgetResults, type NamedResults, sweepResults } from './dead-results.js';
import { planPrune, prune } from './usage.js';

export interface GarbageOptions {
  readonly workers: Workers;
  /** How a worker's garbage is collected after builds; none: it is not. */
  readonly rules: (worker: Worker) => readonly GcRule[];
  readonly keys: NamedResults;
  /** Whether the data of a result is there. */
  readonly isThere: (result: string) => boolean;
  /** When the oldest of the builds that run began, in Unix milliseconds. */
  readonly oldestBegan: () => number;
  readonly logger: Logger;
  readonly lastRun?: LastRun;
}

export class Garbage implements AsyncDisposable {
  readonly collector: Collector;
  readonly #options: GarbageOptions;

  constructor(options: GarbageOptions) {
    this.#options = options;
    this.collector = new Collector({ ...options, removed: this.#removed, sweep: this.#sweep });
    // What the last process left.
    this.collector.soon();
  }

  rulesOf(worker: Worker): readonly GcRule[] {
    return this.#options.rules(worker);
  }

  prune(request: control.PruneRequest, signal: AbortSignal): AsyncIterable<control.UsageRecord> {
    const { workers, oldestBegan } = this.#options;
    return prune({ workers, keepBlobsSince: oldestBegan(), removed: this.#removed }, request, signal);
  }

  planPrune(request: control.PruneRequest, signal: AbortSignal): Promise<debug.PlanPruneResponse> {
    return planPrune(this.#options.workers, request, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
  }

  readonly #removed = (results: readonly string[]): Promise<void> =>
    forgetResults(this.#options.keys, results);

  readonly #sweep = async (): Promise<void> => {
    const { keys, workers, isThere } = this.#options;
    // Of a worker that did not come up this time nothing is known.
    const known = (id: string): boolean => workers.get(id.slice(0, id.lastIndexOf('::'))) !== undefined;
    await sweepResults(keys, (id) => known(id) && !isThere(id));
  };
}
