/** Runs a scenario: at each step one of the things that may happen next does, chosen by the seed. */
import { MemoryKv } from '../../core/kv/memory-kv.js';
import type { Plan } from '../../core/solver/plan.js';
import type { Task } from '../../core/solver/task.js';
import { Life, type RunningJob, type Stores } from './life.js';
import { Random } from './random.js';
import { isQuiet, type JobSpec, type Scenario } from './scenario.js';
import { StoredResults } from './sim-results.js';
import { Violation } from './violation.js';

export interface SimulationOptions {
  /** The rules to prove right or wrong. */
  readonly plan?: (task: Task) => Plan;
  /** Stops after so many steps. */
  readonly until?: number;
  /** Told of every step, for people. */
  readonly onStep?: (step: number, what: string, life: Life) => void;
}

export interface Outcome {
  readonly violation: Violation | undefined;
  readonly steps: number;
  readonly turns: number;
  readonly jobs: number;
  readonly cancelled: number;
  readonly follows: number;
  readonly effects: number;
  readonly lives: number;
}

/** More than any scenario of this size takes. */
const patience = 20_000;

export async function simulate(scenario: Scenario, options: SimulationOptions = {}): Promise<Outcome> {
  const simulation = new Simulation(scenario, options);
  let violation: Violation | undefined;
  try {
    await simulation.run();
  } catch (error) {
    violation = error instanceof Violation ? error : new Violation(8, `threw ${(error as Error).stack}`);
  }
  return { ...simulation.counts, violation };
}

/** Makes something happen and says what. */
type Choice = (life: Life) => string;

class Choices {
  readonly #choices: Choice[] = [];
  readonly #weights: number[] = [];

  get size(): number {
    return this.#choices.length;
  }

  add(weight: number, choice: Choice): void {
    this.#choices.push(choice);
    this.#weights.push(weight);
  }

  pick(random: Random): Choice | undefined {
    const at = random.weighted(this.#weights);
    return at === undefined ? undefined : this.#choices[at];
  }
}

const takeTurn: Choice = ({ solver, turns }) => {
  solver.inner.scheduler.turns.step();
  return `turn of ${turns.last?.name}`;
};

const moveEffect: Choice = ({ effects }) => effects.move();

class Simulation {
  readonly counts = { steps: 0, turns: 0, jobs: 0, cancelled: 0, follows: 0, effects: 0, lives: 0 };
  readonly #scenario: Scenario;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #stores: Stores = { kv: new MemoryKv(), results: new StoredResults() };
  #time = 1;

  constructor(scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#random = new Random(scenario.seed ^ 0x5eed);
  }

  async run(): Promise<void> {
    const { jobs } = this.#scenario;
    for (const number of new Set(jobs.map(({ life }) => life))) {
      await this.#live(jobs.filter(({ life }) => life === number));
    }
  }

  async #live(waiting: JobSpec[]): Promise<void> {
    const life = new Life(this.#scenario, this.#stores, this.#random, this.#time, this.#options.plan);
    this.counts.lives++;
    try {
      while (waiting.length + life.jobs.size > 0) {
        if (this.counts.steps >= (this.#options.until ?? patience)) {
          if (this.#options.until) return;
          throw new Violation(1, 'it does not come to an end');
        }
        if (this.#scenario.trouble.crashes && this.#random.chance(0.003)) return;
        await this.#step(life, waiting);
      }
      await this.#rebuild(life);
      await life.end();
    } finally {
      this.#time = life.now();
      this.counts.turns += life.solver.inner.scheduler.turns.taken;
      this.counts.follows += life.follows;
      this.counts.effects += life.effects.started;
    }
  }

  async #step(life: Life, waiting: JobSpec[]): Promise<void> {
    let choice = this.#choose(life, waiting);
    if (!choice) {
      await microtasks();
      choice = this.#choose(life, waiting);
    }
    if (!choice) {
      if (life.jobs.size + waiting.length === 0) return;
      throw new Violation(1, `nothing goes on any more:\n${life.solver.dump()}`);
    }
    const what = choice(life);
    if (choice !== takeTurn) await microtasks();
    this.counts.steps++;
    this.#options.onStep?.(this.counts.steps, what, life);
    life.check();
  }

  /** One of the things that may happen next, the heavier the likelier. */
  #choose(life: Life, waiting: JobSpec[]): Choice | undefined {
    const { effects } = life;
    const choices = new Choices();
    if (life.solver.inner.scheduler.turns.waiting > 0) choices.add(8, takeTurn);
    if (effects.waiting > 0) choices.add(6, moveEffect);
    if (waiting.length > 0) choices.add(1, () => this.#open(life, waiting));
    for (const running of life.jobs) this.#addJob(choices, life, running);
    if (choices.size > 0) choices.add(this.#scenario.trouble.prunes * 10, () => this.#prune());
    return choices.pick(this.#random);
  }

  #addJob(choices: Choices, life: Life, running: RunningJob): void {
    const { spec, builds, left } = running;
    if (left) return;
    const open = builds.find(({ answered }) => !answered);
    if (builds.length < spec.builds.length) {
      choices.add(2, () => this.#build(life, running));
    } else if (!open) {
      choices.add(1, () => this.#close(life, running));
    } else {
      if (spec.leaves === 'cancels' && !open.stop.signal.aborted)
        choices.add(0.3, () => this.#cancel(running, open.stop));
      if (spec.leaves === 'is discarded') choices.add(0.3, () => this.#discard(life, running));
      choices.add(this.#scenario.trouble.sessions * 10, () => loseSession(life, running));
    }
  }

  #open(life: Life, waiting: JobSpec[]): string {
    this.counts.jobs++;
    return `${life.open(this.counts.jobs, waiting.shift()!).job.id} opens`;
  }

  #build(life: Life, running: RunningJob): string {
    const port = running.spec.builds[running.builds.length]!;
    life.build(running, port);
    return `${running.job.id} builds s${port.step}`;
  }

  #cancel({ job }: RunningJob, stop: AbortController): string {
    stop.abort();
    this.counts.cancelled++;
    return `${job.id} cancels`;
  }

  #discard(life: Life, running: RunningJob): string {
    this.counts.cancelled++;
    return this.#close(life, running);
  }

  #close(life: Life, running: RunningJob): string {
    life.close(running);
    return `${running.job.id} closes`;
  }

  #prune(): string {
    const ids = [...this.#stores.results.values.keys()];
    if (ids.length === 0) return 'there is nothing to prune';
    const id = this.#random.pick(ids);
    this.#stores.results.values.delete(id);
    return `${id} is pruned`;
  }

  /** Invariant 9: of a graph that was built before, only the result is loaded. */
  async #rebuild(life: Life): Promise<void> {
    if (!isQuiet(this.#scenario)) return;
    const [port] = life.built;
    if (!port) return;
    const running = life.open(++this.counts.jobs, { life: 0, builds: [port], ignores: [], leaves: 'never' });
    const before = { execs: life.execs, loads: life.results.loads };
    life.build(running, port);
    while (life.jobs.size > 0) await this.#step(life, []);
    const after = { execs: life.execs - before.execs, loads: life.results.loads - before.loads };
    if (after.execs === 0 && after.loads === 1) return;
    throw new Violation(9, `s${port.step} was built before, but took ${JSON.stringify(after)}`);
  }
}

function loseSession(life: Life, running: RunningJob): string {
  life.loseSession(running);
  return `${running.sessionId} is lost`;
}

const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
