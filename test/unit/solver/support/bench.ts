/** A solver on stores in memory, with everything counted. */
import { silentLogger } from '../../../../core/contracts/logger.js';
import { silentTracing } from '../../../../core/contracts/tracing.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import type { Job } from '../../../../core/solver/job.js';
import { KeyStore } from '../../../../core/solver/keys/key-store.js';
import type { Edge, Vertex } from '../../../../core/solver/op.js';
import { Solver, type SolverOptions } from '../../../../core/solver/solver.js';
import { Graph } from './graph.js';
import { FakeResults, Tracker, textOf } from './tracker.js';

export class Bench implements AsyncDisposable {
  readonly tracker = new Tracker();
  readonly graph = new Graph(this.tracker);
  readonly results = new FakeResults(this.tracker);
  readonly kv = new MemoryKv();
  readonly keys = new KeyStore(this.kv);
  readonly solver: Solver;
  #jobs = 0;
  #time = 1_000_000;

  constructor(options: Partial<SolverOptions> = {}) {
    this.solver = new Solver({
      keys: this.keys,
      results: this.results,
      tracing: silentTracing,
      logger: silentLogger,
      maxParallelism: 0,
      clock: { now: () => this.#time++ },
      ...options,
    });
  }

  job(): Job {
    const id = `job-${++this.#jobs}`;
    return this.solver.openJob(id, { sessionId: `session-${this.#jobs}` });
  }

  /** Builds within `job`; answers the value. */
  async value(job: Job, what: Vertex | Edge, signal = new AbortController().signal): Promise<string> {
    const edge = 'vertex' in what ? what : { vertex: what, index: 0 };
    const result = await job.build(edge, signal);
    const value = textOf(result);
    await result?.[Symbol.asyncDispose]();
    return value;
  }

  /** Builds in a job of its own. */
  async build(what: Vertex | Edge): Promise<string> {
    await using job = this.job();
    return await this.value(job, what);
  }

  /** What is left over: all zero when nobody wants anything. */
  get left(): { tasks: number; results: number; names: number; turns: number } {
    const { tasks, scheduler } = this.solver.inner;
    return {
      tasks: tasks.size,
      results: this.tracker.live.size,
      names: scheduler.live.size,
      turns: scheduler.turns.waiting,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.solver[Symbol.asyncDispose]();
  }
}

export const nothingLeft = { tasks: 0, results: 0, names: 0, turns: 0 };
