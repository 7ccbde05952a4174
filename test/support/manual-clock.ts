import type { Clock } from '../../core/util/clock.js';

/** Time that stands still until it is told to move. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly action: () => void }>();

  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): Disposable {
    const key = {};
    this.#timers.set(key, { at: this.#now + ms, action });
    return { [Symbol.dispose]: () => void this.#timers.delete(key) };
  }

  /** Moves on, running what becomes due in its order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, timer]) => timer.at <= until)
        .sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].action();
    }
    this.#now = until;
  }

  /** Lets promises settle, moves on, and lets them settle again. */
  async pass(ms: number): Promise<void> {
    await settle();
    this.advance(ms);
    await settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
