import { newId } from '../../../core/util/identity.js';
import { Leases } from '../../../proto/containerd.js';
import type { Containerd } from './containerd-client.js';

/**
 * containerd removes nothing itself: what was removed, or given up, goes with its next garbage collection. It collects at
 * once for whoever gives a lease up and waits for that. Runs are shared: who asks during one waits for the next.
 */
export class GarbageRuns {
  readonly #containerd: Containerd;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(containerd: Containerd) {
    this.#containerd = containerd;
  }

  /** Resolves when everything that was given up before has gone. */
  run(): Promise<void> {
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        const running = this.#collect().finally(() => {
          if (this.#running === running) this.#running = undefined;
        });
        this.#running = running;
        return running;
      });
    return this.#next;
  }

  async #collect(): Promise<void> {
    const id = `buildkit-ts/collect/${newId()}`;
    await this.#containerd.call(Leases.Create, { id });
    await this.#containerd.call(Leases.Delete, { id, sync: true });
  }
}
