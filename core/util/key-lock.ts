import { unlessAborted } from './deferred.js';

const never = new AbortController().signal;

/** One holder per key at a time; the others wait in order and learn what the holder before them left. */
export class KeyLock<Outcome> {
  readonly #tails = new Map<string, Promise<Outcome | undefined>>();

  /** Runs `work` while nobody else works under `key`. The signal ends only the wait for that. */
  async run<T>(key: string, work: () => Promise<T>, signal: AbortSignal = never): Promise<T> {
    const turn = await this.enter(key, signal);
    try {
      return await work();
    } finally {
      turn.leave(undefined);
    }
  }

  /** Resolves when it is this caller's turn. `leave` must be called once. */
  async enter(
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly before: Outcome | undefined; leave(outcome: Outcome | undefined): void }> {
    const ahead = this.#tails.get(key);
    let release!: (outcome: Outcome | undefined) => void;
    const own = new Promise<Outcome | undefined>((resolve) => {
      release = resolve;
    });
    this.#tails.set(key, own);
    const leave = (outcome: Outcome | undefined): void => {
      release(outcome);
      if (this.#tails.get(key) === own) this.#tails.delete(key);
    };
    try {
      return { before: ahead && (await unlessAborted(ahead, signal)), leave };
    } catch (error) {
      // Those behind keep waiting for the one ahead.
      void ahead!.then(leave);
      throw error;
    }
  }
}
