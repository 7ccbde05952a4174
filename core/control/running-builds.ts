/** The builds that have to end before what they use is closed. */
import { BuildError, canceled } from '../contracts/index.js';
import { type Deferred, deferred } from '../util/deferred.js';

export class RunningBuilds implements AsyncDisposable {
  readonly #running = new Map<AbortController, Promise<unknown>>();
  readonly #idle = new Set<Deferred<void>>();
  #closed = false;

  get count(): number {
    return this.#running.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Refused once this was closed. */
  async run<T>(build: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#closed) throw stopping('the daemon is stopping: it takes no new builds');
    const stop = new AbortController();
    const running = build(AbortSignal.any([signal, stop.signal]));
    this.#running.set(stop, running);
    try {
      return await running;
    } catch (error) {
      throw stop.signal.aborted ? stopping('the daemon is stopping: the build was canceled', error) : error;
    } finally {
      this.#running.delete(stop);
      if (this.#running.size === 0) for (const idle of this.#idle) idle.resolve();
    }
  }

  /** Takes no more, and waits until none runs, or no longer than the signal allows. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    if (this.#running.size === 0 || signal.aborted) return;
    const idle = deferred<void>();
    const give = (): void => idle.resolve();
    this.#idle.add(idle);
    signal.addEventListener('abort', give, { once: true });
    try {
      await idle.promise;
    } finally {
      this.#idle.delete(idle);
      signal.removeEventListener('abort', give);
    }
  }

  /** Cancels them, and waits until they have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const stop of this.#running.keys()) stop.abort(canceled());
    await Promise.allSettled(this.#running.values());
  }
}

const stopping = (message: string, cause?: unknown): BuildError =>
  new BuildError('control.stopping', message, { grpcCode: 'Unavailable', cause });
