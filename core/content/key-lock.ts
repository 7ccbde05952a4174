/** One holder per key at a time; the others wait in order and learn what the holder before them left. */
export class KeyLock<Outcome> {
  readonly #tails = new Map<string, Promise<Outcome | undefined>>();

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
      return { before: ahead && (await abortable(ahead, signal)), leave };
    } catch (error) {
      // Those behind keep waiting for the one ahead.
      void ahead!.then(leave);
      throw error;
    }
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
