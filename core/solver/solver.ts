/**
 * Solves graphs of vertices for many jobs at once: every step is run at most once, and not at all when a record of
 * it is found. How: facts.ts, plan.ts, reconcile.ts; what always holds: scheduler.ts.
 *
 * ```ts
 * await using job = solver.openJob(ref, { sessionId });
 * await using result = await job.build(edge, signal);
 * ```
 */
import { BuildError } from '../contracts/errors.js';
import type { Logger } from '../contracts/logger.js';
import type { Span, Tracing } from '../contracts/tracing.js';
import { join } from './audience.js';
import { Background } from './background.js';
import { dump } from './dump.js';
import type { EffectServices } from './effects.js';
import { type Job, type JobHost, SolverJob } from './job.js';
import type { KeyStore } from './keys/key-store.js';
import type { ResultStore } from './op.js';
import { type Plan, plan } from './plan.js';
import { ProducersFirst } from './producers-first.js';
import { StoredRecords } from './records.js';
import { requestResult } from './requests.js';
import { Scheduler } from './scheduler.js';
import {
  type Clock,
  type EffectRunner,
  nodeSchedule,
  promiseRunner,
  type Schedule,
  systemClock,
  type TurnQueue,
} from './seams.js';
import { SlotPools } from './slots.js';
import { StepSpans } from './step-spans.js';
import { SubBuilds } from './subbuild.js';
import type { Task } from './task.js';
import { TaskTable } from './task-table.js';

export interface SolverOptions {
  readonly keys: KeyStore;
  readonly results: ResultStore;
  readonly tracing: Tracing;
  readonly logger: Logger;
  /** How many heavy steps may run at once; 0: as many as there are. */
  readonly maxParallelism: number;
  /** The same for those of the pools named here, which have limits of their own. */
  readonly poolParallelism?: ReadonlyMap<string, number>;
  readonly clock?: Clock;
  readonly runner?: EffectRunner;
  readonly queue?: TurnQueue;
  readonly schedule?: Schedule;
  readonly plan?: (task: Task) => Plan;
}

export class Solver implements AsyncDisposable {
  readonly #jobs = new Map<string, Job>();
  readonly #table: TaskTable;
  readonly #scheduler: Scheduler;
  readonly #background: Background;
  readonly #spans: StepSpans;
  readonly #host: JobHost;
  readonly #slots: SlotPools;
  readonly #keys: KeyStore;

  constructor(options: SolverOptions) {
    const { keys, results, tracing, logger, clock = systemClock } = options;
    this.#background = new Background(logger);
    this.#slots = new SlotPools(options.maxParallelism, options.poolParallelism);
    this.#keys = keys;
    this.#table = new TaskTable(clock);
    this.#spans = new StepSpans(tracing, logger);
    const background = this.#background.add;
    const services: EffectServices = {
      records: new StoredRecords(keys, results, background),
      results,
      builds: new SubBuilds(this.#table, () => this.#scheduler),
      spans: this.#spans,
      slots: this.#slots,
      clock,
      background,
    };
    this.#host = this.#jobHost(clock);
    this.#scheduler = new Scheduler({
      services,
      table: this.#table,
      runner: options.runner ?? promiseRunner,
      queue: options.queue ?? new ProducersFirst(),
      schedule: options.schedule ?? nodeSchedule,
      plan: options.plan ?? plan,
    });
  }

  /** What simulations, benches and the debug service look at. */
  get inner(): { readonly tasks: TaskTable; readonly scheduler: Scheduler; readonly background: Background } {
    return { tasks: this.#table, scheduler: this.#scheduler, background: this.#background };
  }

  openJob(id: string, options: { readonly sessionId: string; readonly span?: Span }): Job {
    if (this.#jobs.has(id)) {
      throw new BuildError('solver.job-exists', `a job ${id} is running already`, {
        grpcCode: 'AlreadyExists',
      });
    }
    const job = new SolverJob(id, options, this.#host);
    this.#jobs.set(id, job);
    return job;
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Live tasks, and heavy steps that run and that wait for others to end. */
  get load(): { readonly tasks: number; readonly running: number; readonly waiting: number } {
    return { tasks: this.#table.size, running: this.#slots.taken, waiting: this.#slots.waiting };
  }

  /** All live tasks and what is known about them, as a table for people. */
  dump(): string {
    return dump(this.#table);
  }

  /** Ends every job, and waits until nothing runs and everything is recorded. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#jobs.values()].map((job) => job[Symbol.asyncDispose]()));
    await this.#background.idle();
  }

  #jobHost(clock: Clock): JobHost {
    return {
      clock,
      request: async (job, owner, edge, signal) => {
        const output = this.#table.load(edge);
        this.#scheduler.own(owner, output.task);
        join(job, output.task);
        return await requestResult(this.#scheduler, { job, parent: undefined }, output, signal);
      },
      find: (job, edge) => this.#table.find(edge, job),
      joined: (job, task) => {
        this.#scheduler.kept(task);
        this.#spans.join(job, task);
      },
      skipped: (job, task) => this.#spans.skip(job, task),
      leave: async (job, owner, tasks) => {
        this.#jobs.delete(job.id);
        const left = [...tasks];
        for (const task of left) this.#scheduler.disown(owner, task);
        await this.#scheduler.gone(left);
        if (this.#jobs.size === 0 && this.#table.isEmpty) {
          this.#background.add('forget keys', this.#keys.forgetUnproven());
        }
        // Not until all is idle: other jobs may keep adding to it.
        await this.#background.settled();
      },
    };
  }
}
