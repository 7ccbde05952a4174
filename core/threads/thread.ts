import { Worker } from 'node:worker_threads';
import { BuildError } from '../contracts/errors.js';
import { needsTsx, resolveModule, tsxHref } from './module-loading.js';
import {
  type AnswerMessage,
  recordError,
  reviveError,
  type TaskMessage,
  type ThreadData,
  type ThreadMessage,
  type Transferable,
} from './protocol.js';

export interface ThreadRun {
  readonly message: TaskMessage;
  readonly transfer: readonly Transferable[];
  readonly onReport: ((value: unknown) => void) | undefined;
  readonly onAsk: ((question: unknown) => Promise<unknown>) | undefined;
}

interface Settle {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * One worker thread, running at most one task at a time. It keeps the process alive only while a task runs. A thread
 * whose task brought it down answers `threads.crashed` and is `dead`.
 */
export class Thread {
  readonly #worker: Worker;
  readonly #abort = new Int32Array(new SharedArrayBuffer(4));
  #settle: Settle | undefined;
  #run: ThreadRun | undefined;
  #dead = false;

  constructor() {
    this.#worker = startWorker({ abort: this.#abort });
    this.#worker.unref();
    this.#worker.on('message', (message: ThreadMessage) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#crashed(error));
    this.#worker.on('error', (error) => this.#crashed(error));
    this.#worker.on('exit', (code) => this.#crashed(new Error(`the thread exited with code ${code}`)));
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Milliseconds that the thread has had nothing to do but wait for a message, since it started. */
  get waitedMs(): number {
    return this.#dead ? 0 : this.#worker.performance.eventLoopUtilization().idle;
  }

  run(run: ThreadRun): Promise<unknown> {
    Atomics.store(this.#abort, 0, 0);
    this.#run = run;
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(run.message, [...run.transfer]);
      this.#settle = { resolve, reject };
      this.#worker.ref();
    });
  }

  /** Asks the running task to stop at its next `throwIfAborted`. */
  abort(): void {
    Atomics.store(this.#abort, 0, 1);
  }

  async terminate(): Promise<void> {
    this.#dead = true;
    await this.#worker.terminate();
  }

  #receive(message: ThreadMessage): void {
    switch (message.type) {
      case 'report':
        this.#run?.onReport?.(message.value);
        return;
      case 'ask':
        void this.#answer(message.question);
        return;
      case 'done':
        this.#finish()?.resolve(message.value);
        return;
      case 'failed':
        this.#finish()?.reject(reviveError(message.error));
        return;
      default:
        message satisfies never;
    }
  }

  async #answer(question: unknown): Promise<void> {
    let answer: AnswerMessage['answer'];
    try {
      answer = { value: await this.#run?.onAsk?.(question) };
    } catch (error) {
      answer = { error: recordError(error) };
    }
    this.#worker.postMessage({ answer } satisfies AnswerMessage);
  }

  #finish(): Settle | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#run = undefined;
    this.#worker.unref();
    return settle;
  }

  #crashed(cause: Error): void {
    this.#dead = true;
    this.#finish()?.reject(
      new BuildError('threads.crashed', `a worker thread died: ${cause.message}`, {
        grpcCode: 'Internal',
        cause,
      }),
    );
  }
}

/** tsx must be registered before the thread's own module can be read; a one-line script does that first. */
const bootstrap = `const { tsx, main } = require('node:worker_threads').workerData;
import(tsx).then(({ register }) => { register(); return import(main); });`;

function startWorker(data: ThreadData): Worker {
  const main = resolveModule(new URL('./thread-main.task.js', import.meta.url).href);
  // The parent's --import flags would load tsx's main-thread half for nothing.
  const execArgv: string[] = [];
  if (!needsTsx(main)) return new Worker(new URL(main), { workerData: data, execArgv });
  return new Worker(bootstrap, { eval: true, workerData: { ...data, tsx: tsxHref(), main }, execArgv });
}
