/** Lets clients through, holds them back while the daemon is looked at, and says when nobody is inside. */
import { type Deferred, deferred } from '../../core/util/deferred.js';

export class Gate {
  #open: Deferred<void> | undefined;
  #empty: Deferred<void> | undefined;
  #inside = 0;

  async through<T>(work: () => Promise<T>): Promise<T> {
    while (this.#open) await this.#open.promise;
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
      if (this.#inside === 0) this.#empty?.resolve();
    }
  }

  /** Resolves when all are out. */
  async close(): Promise<void> {
    this.#open ??= deferred();
    if (this.#inside === 0) return;
    this.#empty ??= deferred();
    await this.#empty.promise;
    this.#empty = undefined;
  }

  open(): void {
    this.#open?.resolve();
    this.#open = undefined;
  }
}
