import { setMaxListeners } from 'node:events';

/** So many at once, the others in the order in which they came; none of them waits longer than its signal allows. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** 0 = no limit. */
  constructor(limit: number) {
    this.#free = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    using _place = await this.enter(signal);
    return await work();
  }

  /** Waits for a place; disposing it lets the next one in. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#leave();
        held = false;
      },
    };
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      setMaxListeners(0, signal);
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}
