import { unlessAborted } from './deferred.js';

/**
 * One piece of work that several callers wait for. It runs once; its answer, or its error, is kept. It is aborted
 * when the last caller gives up, and then starts again for the next one. Disposing aborts it and drops the answer.
 */
export class SharedWork<T> implements AsyncDisposable {
  readonly #start: (signal: AbortSignal) => Promise<T>;
  readonly #drop: (value: T) => PromiseLike<void> | void;
  #run: Run<T> | undefined;
  #disposed = false;

  /** `drop` is given an answer nobody will ever see, or that is no longer needed. */
  constructor(
    start: (signal: AbortSignal) => Promise<T>,
    drop: (value: T) => PromiseLike<void> | void = () => {},
  ) {
    this.#start = start;
    this.#drop = drop;
  }

  async get(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#disposed) throw new Error('the work was disposed');
    this.#run ??= new Run(this.#start, this.#drop);
    const run = this.#run;
    return run.join(signal, () => {
      if (this.#run === run) this.#run = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const run = this.#run;
    this.#run = undefined;
    await run?.abandon();
  }
}

class Run<T> {
  readonly #controller = new AbortController();
  readonly #promise: Promise<T>;
  readonly #drop: (value: T) => PromiseLike<void> | void;
  #waiting = 0;
  #settled = false;
  #abandoned: Promise<void> | undefined;

  constructor(start: (signal: AbortSignal) => Promise<T>, drop: (value: T) => PromiseLike<void> | void) {
    this.#drop = drop;
    this.#promise = start(this.#controller.signal).finally(() => {
      this.#settled = true;
    });
    this.#promise.catch(() => {});
  }

  /** `onLastLeft` is called when nobody waits any more for work that is not done. */
  async join(signal: AbortSignal, onLastLeft: () => void): Promise<T> {
    this.#waiting++;
    try {
      return await unlessAborted(this.#promise, signal);
    } finally {
      this.#waiting--;
      if (this.#waiting === 0 && !this.#settled) {
        onLastLeft();
        void this.abandon().catch(() => {});
      }
    }
  }

  abandon(): Promise<void> {
    this.#abandoned ??= this.#abandon();
    return this.#abandoned;
  }

  async #abandon(): Promise<void> {
    this.#controller.abort();
    const answer = await this.#promise.then(
      (value) => ({ value }),
      () => undefined,
    );
    if (answer) await this.#drop(answer.value);
  }
}
