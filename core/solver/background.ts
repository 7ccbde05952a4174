/** Work that nobody waits for while building, but that must be over before its owner is closed. */
import type { Logger } from '../contracts/logger.js';

export class Background {
  readonly #logger: Logger;
  readonly #pending = new Set<Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** A failure is logged: the build does not depend on it. */
  readonly add = (what: string, work: Promise<unknown>): void => {
    const over = (): void => void this.#pending.delete(pending);
    const pending = work.then(over, (error: unknown) => {
      this.#logger.warn(`solver: could not ${what}`, { err: error });
      over();
    });
    this.#pending.add(pending);
  };

  /** Settles when what was under way is over; what is added meanwhile may still go on. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async idle(): Promise<void> {
    while (this.#pending.size > 0) await this.settled();
  }
}
