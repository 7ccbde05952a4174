/** Runs thread tasks in the test's own thread: stack traces, coverage and debuggers just work. */
import type { ThreadOptions, Threads, ThreadTask } from '../../core/contracts/threads.js';

export class InlineThreads implements Threads {
  /** Base names of the tasks that ran. */
  readonly ran: string[] = [];

  async run<Result>(task: URL, args: unknown, options: ThreadOptions): Promise<Result> {
    options.signal.throwIfAborted();
    this.ran.push(task.pathname.slice(task.pathname.lastIndexOf('/') + 1).replace(/\.task\.[jt]s$/, ''));
    const module = (await import(task.href)) as { readonly default: ThreadTask<unknown, Result> };
    return module.default(structuredClone(args, { transfer: [...(options.transfer ?? [])] }), {
      throwIfAborted: () => options.signal.throwIfAborted(),
      report: (value) => options.onReport?.(structuredClone(value)),
      ask: async (question) => structuredClone(await options.onAsk?.(structuredClone(question))),
    });
  }
}
