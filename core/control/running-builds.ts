/** The builds that have to end before what they use is closed. */
import { BuildError, canceled } from '../contracts/index.js';

export class RunningBuilds implements AsyncDisposable {
  readonly #running = new Map<AbortController, Promise<unknown>>();
  #closed = false;

  /** Refused once this was disposed. */
  async run<T>(build: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#closed) throw stopping();
    const stop = new AbortController();
    const running = build(AbortSignal.any([signal, stop.signal]));
    this.#running.set(stop, running);
    try {
      return await running;
    } catch (error) {
      throw stop.signal.aborted ? stopping(error) : error;
    } finally {
      this.#running.delete(stop);
    }
  }

  /** Cancels them, and waits until they have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const stop of this.#running.keys()) stop.abort(canceled());
    await Promise.allSettled(this.#running.values());
  }
}

const stopping = (cause?: unknown): BuildError =>
  new BuildError('control.stopping', 'the daemon is stopping: the build was canceled', {
    grpcCode: 'Unavailable',
    cause,
  });
