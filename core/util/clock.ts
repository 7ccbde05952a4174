/** Time for whoever waits; tests turn it by hand. */
export interface Clock {
  /** Milliseconds; only differences count. */
  now(): number;
  /** Runs `action` once after `ms`; disposing in time prevents it. Does not keep the process alive. */
  after(ms: number, action: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
