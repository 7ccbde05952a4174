import { unlessAborted } from './deferred.js';

interface Run<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Work under a key, done once for all who ask while it runs, and forgotten when it settles. It is aborted when the
 * last one gives up; who asks then waits until it has really stopped, and it starts anew.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>();

  async run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const run = this.#runs.get(key) ?? this.#start(key, start);
      if (!run.controller.signal.aborted) return this.#join(run, signal);
      await unlessAborted(
        run.promise.then(
          () => {},
          () => {},
        ),
        signal,
      );
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Run<T> {
    const controller = new AbortController();
    const promise = start(controller.signal).finally(() => this.#runs.delete(key));
    // Those who wait are told; when all have left, its failure is only that it was stopped.
    promise.catch(() => {});
    const run = { promise, controller, waiting: 0 };
    this.#runs.set(key, run);
    return run;
  }

  async #join(run: Run<T>, signal: AbortSignal): Promise<T> {
    run.waiting += 1;
    try {
      return await unlessAborted(run.promise, signal);
    } finally {
      run.waiting -= 1;
      // Without effect when it has settled.
      if (run.waiting === 0) run.controller.abort();
    }
  }
}
