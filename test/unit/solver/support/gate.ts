/** Something a step waits for, and that a test lets through. */
import { deferred, unlessAborted } from '../../../../core/util/deferred.js';

export class Gate {
  readonly #open = deferred<void>();
  readonly #reached = deferred<void>();
  /** How often somebody waited here, and how often such waiting was aborted. */
  waits = 0;
  aborts = 0;

  /** Settles when somebody waits. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  open(): void {
    this.#open.resolve();
  }

  async wait(signal: AbortSignal): Promise<void> {
    this.waits++;
    this.#reached.resolve();
    try {
      await unlessAborted(this.#open.promise, signal);
    } catch (error) {
      this.aborts++;
      throw error;
    }
  }

  /** As a step that does not notice that it should stop. */
  async waitDeaf(): Promise<void> {
    this.waits++;
    this.#reached.resolve();
    await this.#open.promise;
  }
}

/** Lets everything happen that can without outside help. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
