import { type Logger, silentLogger } from '../../../core/contracts/logger.js';
import type { RefStore } from '../../../core/contracts/refs.js';

/**
 * Removes earlier transfers of a folder in the background, unless somebody uses them: results that were cached with
 * them, or a build that runs. Those that are kept now are looked at again after the next transfer.
 */
export class SupersededFolders implements AsyncDisposable {
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(logger: Logger = silentLogger) {
    this.#logger = logger;
  }

  drop(refs: RefStore, ids: readonly string[]): void {
    if (ids.length === 0) return;
    const running = remove(refs, ids, this.#stop.signal)
      .catch((err: unknown) => {
        if (!this.#stop.signal.aborted)
          this.#logger.warn('an earlier copy of a local folder was not removed', { err });
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }
}

async function remove(refs: RefStore, ids: readonly string[], signal: AbortSignal): Promise<void> {
  const options = { all: true, keepDurationMs: 0, reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 };
  const removed = refs.prune({ ...options, filter: ids.map((id) => `id==${id}`) }, signal);
  for await (const _ of removed);
}
