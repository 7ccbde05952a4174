/**
 * How the daemon is asked to end: the first SIGTERM or SIGINT lets builds that run go on for a while, the second one
 * cancels them, the third one does not wait for anything.
 */
import type { Logger } from '../../core/contracts/index.js';

export class StopSignals {
  readonly #stop = new AbortController();
  readonly #hurry = new AbortController();

  constructor(logger: Logger) {
    const onSignal = (name: NodeJS.Signals): void => {
      logger.info(`got signal ${name}`);
      if (this.#hurry.signal.aborted) process.exit(1);
      if (this.#stop.signal.aborted) this.#hurry.abort();
      else this.#stop.abort();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** Resolves when the daemon is asked to end. */
  async asked(): Promise<void> {
    if (this.stop.aborted) return;
    await new Promise<void>((resolve) => {
      this.stop.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
