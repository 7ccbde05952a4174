import { unlessAborted } from './deferred.js';

/**
 * One piece of work that several callers wait for. It runs once; its answer, or its error, is kept. It is aborted
 * when the last caller gives up, and then starts again for the next one. Disposing aborts it and drops the answer.
 */
export class SharedWork<T> implements AsyncDisposable {
  readonly #start: (signal: AbortSignal) => Promise<T>;
  readonly #drop: (value: T) => PromiseLike<void> | void;
  #run: Run<T> | undefined;
  /** Work that was given up and is still stopping, or could not drop its answer. */
  readonly #stopping = new Set<Promise<void>>();
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
    return run.join(signal, (stopping) => {
      if (this.#run === run) this.#run = undefined;
      this.#stopping.add(stopping);
      // What cannot be dropped is told on disposing.
      stopping.then(
        () => this.#stopping.delete(stopping),
        () => {},
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const run = this.#run;
    this.#run = undefined;
    await Promise.all([run?.abandon(), ...this.#stopping]);
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
    // Whoever joins is told.
    this.#promise.catch(() => {});
  }

  /** `onLastLeft` is called when nobody waits any more for work that is not done, with the end of that work. */
  async join(signal: AbortSignal, onLastLeft: (stopping: Promise<void>) => void): Promise<T> {
    this.#waiting++;
    try {
      return await unlessAborted(this.#promise, signal);
    } finally {
      this.#waiting--;
      if (this.#waiting === 0 && !this.#settled) onLastLeft(this.abandon());
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
