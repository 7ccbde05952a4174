import { type Token, token } from './token.js';

/**
 * Worker threads for whatever touches many files or many bytes. A task is a module `<name>.task.ts` whose default
 * export is a {@link ThreadTask}; its base name is unique in the project, because bundles lay tasks out flat.
 *
 * ```ts
 * const usage = await threads.run<Usage>(new URL('./disk-usage.task.js', import.meta.url), { dir }, { signal });
 * ```
 *
 * Arguments and results are structured-cloned; `transfer` moves buffers instead.
 */
export interface Threads {
  run<Result>(task: URL, args: unknown, options: ThreadOptions): Promise<Result>;
}
export const Threads: Token<Threads> = token('Threads');

export interface ThreadOptions {
  readonly signal: AbortSignal;
  /** Receives what the task passes to `context.report`, in order. */
  readonly onReport?: (value: unknown) => void;
  /** Answers what the task passes to `context.ask`. */
  readonly onAsk?: (question: unknown) => Promise<unknown>;
  readonly transfer?: readonly (ArrayBuffer | MessagePort)[];
  /**
   * Runs the task in a thread of its own that ends with it, outside the pool: for a task that lives as long as its
   * owner, or that changes the thread itself (its namespaces).
   */
  readonly dedicated?: boolean;
}

/** Synchronous calls are right here; a long task asks `throwIfAborted` between batches. */
export type ThreadTask<Args, Result> = (args: Args, context: ThreadContext) => Result | Promise<Result>;

export interface ThreadContext {
  throwIfAborted(): void;
  report(value: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** What the caller's `onAsk` answers. One question at a time. */
  ask(question: unknown): Promise<unknown>;
}

type MessagePort = import('node:worker_threads').MessagePort;
