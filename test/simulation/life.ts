/** One solver on the stores of a scenario, from opening to closing or crash, with the jobs that use it. */

import type { Port } from '../../bench/shapes.js';
import { BuildError, isCanceled } from '../../core/contracts/errors.js';
import { type Logger, silentLogger } from '../../core/contracts/logger.js';
import { silentTracing } from '../../core/contracts/tracing.js';
import type { MemoryKv } from '../../core/kv/memory-kv.js';
import type { Job } from '../../core/solver/job.js';
import { KeyStore } from '../../core/solver/keys/key-store.js';
import type { Edge } from '../../core/solver/op.js';
import { type Plan, plan } from '../../core/solver/plan.js';
import { ProducersFirst } from '../../core/solver/producers-first.js';
import { Solver } from '../../core/solver/solver.js';
import type { Task } from '../../core/solver/task.js';
import { Invariants } from './invariants.js';
import { Oracle } from './oracle.js';
import type { Random } from './random.js';
import { isQuiet, type JobSpec, type Scenario } from './scenario.js';
import { SimEffects } from './sim-effects.js';
import { brokenBy, makeGraph, type SimVertex } from './sim-graph.js';
import { LiveResults, SimResults, type StoredResults, textOf } from './sim-results.js';
import { AnyOrder, Watched } from './sim-turns.js';
import { Violation } from './violation.js';

/** What outlives a solver. */
export interface Stores {
  readonly kv: MemoryKv;
  readonly results: StoredResults;
}

interface RunningBuild {
  readonly port: Port;
  readonly stop: AbortController;
  answered: boolean;
}

export class RunningJob {
  readonly spec: JobSpec;
  readonly job: Job;
  readonly graph: readonly SimVertex[];
  readonly sessionId: string;
  readonly builds: RunningBuild[] = [];
  left = false;
  closed = false;

  constructor(spec: JobSpec, job: Job, graph: readonly SimVertex[], sessionId: string) {
    this.spec = spec;
    this.job = job;
    this.graph = graph;
    this.sessionId = sessionId;
  }
}

export class Life {
  readonly solver: Solver;
  readonly effects: SimEffects;
  readonly results: SimResults;
  readonly jobs = new Set<RunningJob>();
  /** What was answered, newest first. */
  readonly built: Port[] = [];
  readonly #scenario: Scenario;
  readonly #oracle: Oracle;
  readonly #random: Random;
  readonly #live = new LiveResults();
  readonly #lost = new Set<string>();
  readonly #keys: KeyStore;
  readonly #stores: Stores;
  readonly #invariants: Invariants;
  readonly turns: Watched;
  #complaint: string | undefined;
  #failure: Violation | undefined;
  #time: number;

  constructor(
    scenario: Scenario,
    stores: Stores,
    random: Random,
    time: number,
    rules: (task: Task) => Plan = plan,
  ) {
    const { trouble, parallelism, producersFirst } = scenario;
    this.#scenario = scenario;
    this.#stores = stores;
    this.#random = random;
    this.#time = time;
    this.#oracle = new Oracle(scenario);
    this.#keys = new KeyStore(stores.kv);
    this.#keys.doubtAll();
    this.effects = new SimEffects(random, trouble.deaf);
    this.results = new SimResults(stores.results, this.#live, this.effects, random, trouble);
    const queue = new Watched(producersFirst ? new ProducersFirst() : new AnyOrder(random));
    this.turns = queue;
    this.solver = new Solver({
      keys: this.#keys,
      results: this.results,
      tracing: silentTracing,
      logger: this.#logger,
      maxParallelism: parallelism,
      clock: { now: () => this.now() },
      runner: this.effects,
      queue,
      schedule: () => undefined,
      plan: rules,
    });
    const { effects, solver } = this;
    this.#invariants = new Invariants({
      tasks: solver.inner.tasks,
      dirty: queue.dirty,
      get unsettled() {
        return effects.unsettled;
      },
      plan: rules,
      oracle: this.#oracle,
      quiet: isQuiet(scenario),
    });
  }

  /** How often a task came to follow another. */
  get follows(): number {
    return this.#invariants.follows;
  }

  /** How many steps began to run. */
  get execs(): number {
    return this.#invariants.runs;
  }

  now(): number {
    return this.#time++;
  }

  open(number: number, spec: JobSpec): RunningJob {
    const sessionId = `session-${number}`;
    const graph = makeGraph(this.#scenario, spec, {
      effects: this.effects,
      random: this.#random,
      results: this.#live,
      lost: this.#lost,
    });
    const running = new RunningJob(
      spec,
      this.solver.openJob(`job-${number}`, { sessionId }),
      graph,
      sessionId,
    );
    this.jobs.add(running);
    return running;
  }

  build(running: RunningJob, port: Port): void {
    const build: RunningBuild = { port, stop: new AbortController(), answered: false };
    running.builds.push(build);
    this.#build(running, build).catch((error) => {
      this.#failure ??= error;
    });
  }

  close(running: RunningJob): void {
    running.left = true;
    running.job[Symbol.asyncDispose]().then(
      () => {
        running.closed = true;
        this.jobs.delete(running);
      },
      (error) => {
        this.#failure ??= new Violation(7, `closing a job failed: ${error}`);
      },
    );
  }

  loseSession(running: RunningJob): void {
    this.#lost.add(running.sessionId);
  }

  /** Call after every step. */
  check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#complaint) throw new Violation(7, this.#complaint);
    const [misuse] = this.#live.misuse;
    if (misuse) throw new Violation(7, misuse);
    this.#invariants.check();
  }

  /** Call when all jobs are closed. */
  async end(): Promise<void> {
    await this.solver[Symbol.asyncDispose]();
    const { tasks, scheduler, background } = this.solver.inner;
    const left = {
      tasks: tasks.size,
      names: scheduler.live.size,
      effects: this.effects.unsettled + this.effects.waiting,
      work: background.size,
      results: this.#live.live.size,
    };
    if (Object.values(left).some((count) => count > 0))
      throw new Violation(7, `left: ${JSON.stringify(left)}`);
    const useless = [...this.#keys.useless()];
    if (useless.length > 0) throw new Violation(7, `of no use: ${useless.join()}`);
    if (this.#scenario.trouble.crashes) return;
    const named = new Set(this.#keys.resultIds());
    const lost = [...this.#stores.results.values.keys()].filter((id) => !named.has(id));
    if (lost.length > 0) throw new Violation(7, `no key names ${lost.join()}`);
  }

  async #build(running: RunningJob, build: RunningBuild): Promise<void> {
    const { port } = build;
    const edge = { vertex: running.graph[port.step]!, index: port.output };
    const outcome = await running.job.build(edge, build.stop.signal).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    build.answered = true;
    if ('error' in outcome) {
      this.#checkError(running, build, outcome.error);
      return;
    }
    const value = textOf(outcome.result);
    const expected = this.#oracle.value(port);
    if (value !== expected) throw new Violation(8, `s${port.step} is ${value}, not ${expected}`);
    if ([...this.#breaking(port)].some(([, always]) => always)) {
      throw new Violation(8, `s${port.step} rests on a broken step, but has a value`);
    }
    if (
      !running.left &&
      !running.job.cacheChain(edge) &&
      !this.#scenario.ops.some(({ volatile }) => volatile)
    ) {
      throw new Violation(8, `s${port.step} has a value, but no chain of keys`);
    }
    this.#checkChains(running, edge);
    this.built.unshift(port);
    await outcome.result![Symbol.asyncDispose]();
  }

  /** What leads to this value is a part of what leads to everything that has completed. */
  #checkChains({ job, left }: RunningJob, edge: Edge): void {
    const chain = left ? undefined : job.cacheChain(edge);
    if (
      !chain ||
      job.cacheChains().some(({ vertex, digest }) => vertex === chain.vertex && digest === chain.digest)
    )
      return;
    throw new Violation(8, `${edge.vertex.name} has a value, and is not among what has completed`);
  }

  #checkError(running: RunningJob, { port, stop }: RunningBuild, error: unknown): void {
    if (isCanceled(error) && (stop.signal.aborted || running.left)) return;
    if (error instanceof BuildError && error.code === 'session.lost' && this.#lost.has(running.sessionId))
      return;
    const expected = [...this.#breaking(port)].map(([op]) => brokenBy(op));
    // The solver says which key of the op could not be had.
    const reason =
      error instanceof Error ? error.message.replace(/^failed to (load|compute) cache key: /, '') : '';
    if (expected.includes(reason)) return;
    throw new Violation(8, `s${port.step} of ${running.job.id} failed: ${error}`);
  }

  #breaking({ step }: Port): readonly (readonly [op: number, always: boolean])[] {
    return [...this.#oracle.breaking(step)].map((op) => [op, this.#scenario.ops[op]!.fails?.always ?? false]);
  }

  get #logger(): Logger {
    return {
      ...silentLogger,
      warn: (message, fields) => {
        if (message.includes('could not be recorded')) return;
        this.#complaint ??= `${message}: ${fields?.err}`;
      },
    };
  }
}
