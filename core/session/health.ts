/**
 * Drops clients that no longer answer. BuildKit: session/grpc.go monitorHealth; wire facts E1.4. A busy tunnel may
 * answer late, hence the long timeout and the second chance.
 */
import type { Clock } from '../util/clock.js';

export interface HealthOptions {
  readonly clock: Clock;
  /** Asks once; rejects when there is no answer. What the answer says does not matter. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** A client's own interval and timeout in milliseconds; then one failure is enough. */
  readonly customTimeout?: number | undefined;
  readonly onSlow: (failures: number, error: unknown) => void;
}

const INTERVAL = 5_000;
const MIN_TIMEOUT = 15_000;

/** Resolves when the client counts as gone, or when `signal` aborts. */
export async function watchHealth(options: HealthOptions, signal: AbortSignal): Promise<'gone' | 'stopped'> {
  const custom = options.customTimeout === undefined ? undefined : Math.max(1_000, options.customTimeout);
  const threshold = custom === undefined ? 2 : 1;
  let lastDuration = 0;
  for (let failures = 0; failures < threshold; ) {
    await pause(options.clock, custom ?? INTERVAL, signal);
    if (signal.aborted) return 'stopped';
    const started = options.clock.now();
    const timeout = custom ?? Math.max(MIN_TIMEOUT, lastDuration * 1.5);
    try {
      await checkOnce(options, timeout, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return 'stopped';
      options.onSlow(++failures, error);
    }
    lastDuration = options.clock.now() - started;
  }
  return 'gone';
}

async function checkOnce(options: HealthOptions, timeout: number, signal: AbortSignal): Promise<void> {
  const late = new AbortController();
  using _timer = options.clock.after(timeout, () => late.abort(new Error(`no answer in ${timeout} ms`)));
  await options.check(AbortSignal.any([signal, late.signal]));
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      timer[Symbol.dispose]();
      resolve();
    };
    const timer = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
