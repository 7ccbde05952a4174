import { type Logger, silentLogger } from '../../../core/contracts/logger.js';
import type { RefStore } from '../../../core/contracts/refs.js';

/**
 * Removes earlier transfers of a folder in the background, unless somebody uses them: results that were cached with
 * them, or a build that runs. Those that are kept now are looked at again after the next transfer.
 */
export class SupersededFolders implements AsyncDisposable {
  readonly #logger: Logger;
  readonly #running = new Set<Promise<void>>();

  constructor(logger: Logger = silentLogger) {
    this.#logger = logger;
  }

  drop(refs: RefStore, ids: readonly string[]): void {
    if (ids.length === 0) return;
    const running = refs
      .removeUnused(ids)
      .catch((err: unknown) =>
        this.#logger.warn('an earlier copy of a local folder was not removed', { err }),
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.idle();
  }
}
