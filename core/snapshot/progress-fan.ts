import type { Progress, StatusUpdate, Warning } from '../contracts/progress.js';

/** Tells several watchers about one piece of work; one that joins late hears what comes from then on. */
export class ProgressFan implements Progress {
  readonly #watchers = new Set<Progress>();

  watch(progress: Progress): Disposable {
    this.#watchers.add(progress);
    return { [Symbol.dispose]: () => void this.#watchers.delete(progress) };
  }

  status(id: string, update: StatusUpdate): void {
    for (const watcher of this.#watchers) watcher.status(id, update);
  }

  log(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    for (const watcher of this.#watchers) watcher.log(stream, data);
  }

  warn(warning: Warning): void {
    for (const watcher of this.#watchers) watcher.warn(warning);
  }
}
