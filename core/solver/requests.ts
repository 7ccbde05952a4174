/** Waits for results on behalf of somebody outside the graph: a job, or a running step that builds. */
import { canceled } from '../contracts/errors.js';
import { deferred } from '../util/deferred.js';
import { Demand, type Waiter } from './demand.js';
import type { Job } from './job.js';
import type { Result } from './op.js';
import type { Scheduler } from './scheduler.js';
import type { Output, Task } from './task.js';

export interface Requester {
  readonly job: Job | undefined;
  readonly parent: Task | undefined;
}

/** The caller owns the result. When `signal` aborts, the demand is withdrawn and the call rejects at once. */
export async function requestResult(
  scheduler: Scheduler,
  { job, parent }: Requester,
  output: Output,
  signal: AbortSignal,
): Promise<Result | undefined> {
  if (signal.aborted) throw canceled(signal.reason);
  const answer = deferred<Result | undefined>();
  let over = false;
  const fail = (error: unknown): void => {
    over = true;
    answer.reject(error);
  };
  const waiter: Waiter = {
    kind: 'waiter',
    job,
    parent,
    answered: ({ result }) => {
      // Between a failure and the withdrawal nobody would own the clone.
      if (!over) answer.resolve(result?.value?.clone());
    },
    failed: (error) => {
      fail(error);
      // At once: what failed for this requester alone would be started once more before it is gone.
      scheduler.withdraw(demand);
    },
  };
  const demand = new Demand(waiter, output);
  const leave = (): void => fail(canceled(signal.reason));
  signal.addEventListener('abort', leave, { once: true });
  try {
    scheduler.ask(demand);
    return await answer.promise;
  } finally {
    signal.removeEventListener('abort', leave);
    scheduler.withdraw(demand);
  }
}
