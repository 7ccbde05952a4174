import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { canceled } from '../contracts/errors.js';
import type { ThreadOptions, Threads } from '../contracts/threads.js';
import { Thread } from './thread.js';

export interface ThreadPoolOptions {
  /** Threads that work at once; by default one per core, at least two. */
  readonly threads?: number;
  /** How long a task may wait while nothing finishes before it is asked why, in ms. */
  readonly patienceMs?: number;
}

interface Job {
  readonly task: string;
  readonly args: unknown;
  readonly options: ThreadOptions;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Listens to the signal while the job waits in the queue. */
  readonly leave: () => void;
}

/** Extra threads for tasks stuck behind slow readers; a bound on memory, never reached in a healthy daemon. */
const EXTRA_FACTOR = 8;

/** Threads that compute are given so many times the patience: a busy machine is no reason for more of them. */
const COMPUTING_PATIENCE = 10;

/**
 * The pool behind {@link Threads}. Threads are started when there is work for them, reused, and never killed in the
 * middle of a task: an abort asks the task, and `run` settles when the task has really stopped, so that its caller
 * may remove what it worked on.
 *
 * 1. A task that streams to a slow reader holds its thread. If work waits and one is held so, the pool starts extra
 *    threads one by one (`patienceMs`), else one stalled client would stall the daemon. When all of them compute, they
 *    get much longer: extra threads would share the same cores, and each has its code to load and to compile.
 * 2. A task that waits for an answer (`context.ask`) keeps its thread, but does not count as working.
 * 3. Extra threads end when they run out of work.
 * 4. A dedicated task gets a new thread that is never reused and does not count.
 * 5. A thread may die while it is idle: it then gets no work, which it would never answer.
 */
export class ThreadPool implements Threads, AsyncDisposable {
  readonly #limit: number;
  readonly #patienceMs: number;
  readonly #idle: Thread[] = [];
  readonly #busy = new Map<Thread, Promise<void>>();
  readonly #dedicated = new Map<Thread, Promise<void>>();
  readonly #queue: Job[] = [];
  /** Tasks of `#busy` threads that wait for an answer. */
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;
  /** How often patience ran out since something finished last. */
  #looks = 0;
  #disposed = false;

  constructor(options: ThreadPoolOptions = {}) {
    this.#limit = options.threads ?? Math.max(2, os.availableParallelism());
    this.#patienceMs = options.patienceMs ?? 500;
  }

  run<Result>(task: URL, args: unknown, options: ThreadOptions): Promise<Result> {
    const { signal } = options;
    return new Promise<unknown>((resolve, reject) => {
      if (signal.aborted || this.#disposed) {
        reject(canceled(signal.reason));
        return;
      }
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(job), 1);
        reject(canceled(signal.reason));
      };
      const job: Job = { task: task.href, args, options, resolve, reject, leave };
      if (options.dedicated) {
        this.#startAlone(job);
        return;
      }
      // One build's signal stops hundreds of tasks; that is no leak.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(job);
      this.#dispatch();
    }) as Promise<Result>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#timer);
    for (const job of this.#queue.splice(0)) {
      job.options.signal.removeEventListener('abort', job.leave);
      job.reject(canceled());
    }
    const running = [...this.#busy, ...this.#dedicated];
    for (const [thread] of running) thread.abort();
    await Promise.all(running.map(([, done]) => done));
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && (this.#idle.length > 0 || this.#mayStart)) this.#startNext();
    this.#watch();
  }

  get #working(): number {
    return this.#busy.size - this.#asking;
  }

  get #mayStart(): boolean {
    return this.#working < this.#limit && this.#busy.size < this.#limit * EXTRA_FACTOR;
  }

  /** Rule 2. */
  async #answer(answering: Promise<unknown>): Promise<unknown> {
    this.#asking += 1;
    this.#dispatch();
    try {
      return await answering;
    } finally {
      this.#asking -= 1;
    }
  }

  #startNext(): void {
    const job = this.#queue.shift()!;
    job.options.signal.removeEventListener('abort', job.leave);
    try {
      const thread = this.#takeIdle() ?? new Thread();
      const { onAsk } = job.options;
      const answer = onAsk && ((question: unknown) => this.#answer(onAsk(question)));
      this.#busy.set(thread, this.#runOn(thread, job, answer));
    } catch (error) {
      job.reject(error);
    }
  }

  /** Rule 5. */
  #takeIdle(): Thread | undefined {
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (!thread.dead) return thread;
    return undefined;
  }

  /** Rule 4. */
  #startAlone(job: Job): void {
    try {
      const thread = new Thread();
      this.#dedicated.set(thread, this.#runOn(thread, job, job.options.onAsk));
    } catch (error) {
      job.reject(error);
    }
  }

  async #runOn(thread: Thread, job: Job, onAsk: ThreadOptions['onAsk']): Promise<void> {
    const { signal, onReport, transfer = [] } = job.options;
    const abort = (): void => thread.abort();
    try {
      const running = thread.run({ message: { task: job.task, args: job.args }, transfer, onReport, onAsk });
      signal.addEventListener('abort', abort, { once: true });
      job.resolve(await running);
    } catch (error) {
      job.reject(error);
    } finally {
      signal.removeEventListener('abort', abort);
      this.#finished(thread);
    }
  }

  #finished(thread: Thread): void {
    if (this.#dedicated.delete(thread)) {
      void thread.terminate();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#looks = 0;
    this.#busy.delete(thread);
    if (!thread.dead) this.#idle.push(thread);
    if (this.#disposed) return;
    this.#dispatch();
    // Rule 3.
    while (this.#working + this.#idle.length > this.#limit && this.#idle.length > 0) {
      void this.#idle.pop()!.terminate();
    }
  }

  /** Rule 1: armed while work waits, re-armed by whatever finishes. */
  #watch(): void {
    if (this.#queue.length === 0 || this.#timer || this.#disposed) return;
    const waited = new Map([...this.#busy.keys()].map((thread) => [thread, thread.waitedMs]));
    const timer = setTimeout(() => {
      // When this thread was held up itself, what finished meanwhile has not been heard of yet.
      setImmediate(() => {
        if (this.#timer !== timer) return;
        this.#timer = undefined;
        this.#looks += 1;
        const mayStart = this.#queue.length > 0 && this.#busy.size < this.#limit * EXTRA_FACTOR;
        if (mayStart && (this.#held(waited) || this.#looks >= COMPUTING_PATIENCE)) this.#startNext();
        this.#watch();
      });
    }, this.#patienceMs);
    this.#timer = timer;
  }

  /** Whether a thread has mostly waited since it was last looked at. */
  #held(waited: ReadonlyMap<Thread, number>): boolean {
    return [...waited].some(([thread, before]) => thread.waitedMs - before > this.#patienceMs / 2);
  }
}
