/**
 * Tells when the main thread has not turned for too long, and where it was: a thread watches a counter that the main
 * thread raises. Everything that a daemon promises to its clients waits for that thread.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from '../contracts/index.js';
import { needsTsx, resolveModule, tsxHref } from '../threads/module-loading.js';

/** How the thread is told, and what it tells. */
export interface WatchdogData {
  readonly beats: SharedArrayBuffer;
  readonly thresholdMs: number;
}
export interface Blocked {
  readonly blockedMs: number;
  /** Innermost function first; empty when it was in no JavaScript. */
  readonly stack: readonly string[];
}

/** Beats in the time that is too long. */
const BEATS = 4;

export class Watchdog implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #beating: NodeJS.Timeout;

  constructor(thresholdMs: number, logger: Logger) {
    const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const counter = new Int32Array(beats);
    this.#beating = setInterval(() => Atomics.add(counter, 0, 1), thresholdMs / BEATS).unref();
    this.#worker = startThread({ beats, thresholdMs });
    this.#worker.on('message', ({ blockedMs, stack }: Blocked) =>
      logger.warn('the main thread was blocked', {
        milliseconds: blockedMs,
        stack: stack.length > 0 ? stack.join(' < ') : 'not in JavaScript',
      }),
    );
    this.#worker.on('error', (err) => logger.warn('the watchdog of the main thread has ended', { err }));
    this.#worker.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beating);
    await this.#worker.terminate();
  }
}

/** tsx must be registered before the thread's own module can be read. */
const bootstrap = `const { tsx, main } = require('node:worker_threads').workerData;
import(tsx).then(({ register }) => { register(); return import(main); });`;

function startThread(data: WatchdogData): Worker {
  const main = resolveModule(new URL('./watchdog.task.js', import.meta.url).href);
  const options = { execArgv: [], name: 'watchdog' };
  if (!needsTsx(main)) return new Worker(new URL(main), { ...options, workerData: data });
  return new Worker(bootstrap, { ...options, eval: true, workerData: { ...data, tsx: tsxHref(), main } });
}
