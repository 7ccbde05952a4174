import type { Logger } from '../../../core/contracts/logger.js';
import { newId } from '../../../core/util/identity.js';
import { Leases } from '../../../proto/containerd.js';
import type { Containerd } from './containerd-client.js';

/**
 * containerd removes nothing itself: what was removed, or given up, goes with its next garbage collection. It collects at
 * once for whoever gives a lease up and waits for that. Runs are shared: who asks during one waits for the next.
 */
export class GarbageRuns {
  readonly #containerd: Containerd;
  readonly #logger: Logger;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(containerd: Containerd, logger: Logger) {
    this.#containerd = containerd;
    this.#logger = logger;
  }

  /** For whoever need not wait: what it gave up is off the books already. A failure is only told. */
  soon(): Promise<void> {
    return this.run().catch((err: unknown) =>
      this.#logger.warn('containerd could not collect garbage', { err }),
    );
  }

  /** Resolves when none is running or asked for. */
  async idle(): Promise<void> {
    while (this.#next ?? this.#running) await (this.#next ?? this.#running)?.catch(() => {});
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
