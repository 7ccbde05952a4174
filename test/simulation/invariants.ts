/**
 * What always holds, whatever happens in whatever order. Checked after every step of a simulation, from outside:
 * nothing here uses what the solver derives from its facts, only the facts and relations themselves.
 *
 * 1. An open demand implies a task waiting for its turn, a running effect, or an open demand below it.
 * 2. When no turn is waiting, every running effect is wanted by some plan, or was asked to stop.
 * 3. At most one effect of a name runs per task.
 * 4. Facts only grow.
 * 5. Waiting is acyclic.
 * 6. Nobody asks a swept task, or rests on one.
 * 7. Without jobs there are no tasks, effects, results, live names; results are used while they are held, and released
 *    once; every stored result has a key, and every key a use.
 * 8. An answer is the oracle's.
 * 9. Nothing is done that need not be: no step runs while an equal one runs or has its result, or when a record of it
 *    is at hand; nobody asks for further keys before looking at those there are; a graph that was built before takes
 *    one load.
 *
 * 1 to 6 and a part of 9 are here; 7 and 8 speak of moments at which a simulation looks itself (life.ts).
 */
import { type Plan, wishOf } from '../../core/solver/plan.js';
import { stages } from '../../core/solver/stage.js';
import type { Task } from '../../core/solver/task.js';
import type { Oracle } from './oracle.js';
import type { SimVertex } from './sim-graph.js';
import { Violation } from './violation.js';

export interface Observed {
  readonly tasks: Iterable<Task>;
  readonly dirty: ReadonlySet<Task>;
  /** Effects that were started and have not reported. */
  readonly unsettled: number;
  readonly plan: (task: Task) => Plan;
  readonly oracle: Oracle;
  /** Whether equal steps may run twice for a good reason (see scenario.ts). */
  readonly quiet: boolean;
}

export class Invariants {
  readonly #observed: Observed;
  readonly #facts = new Map<Task, FactCounts>();
  readonly #running = new Set<Task>();
  readonly #followers = new Set<Task>();
  #relations = 0;
  #follows = 0;
  #runs = 0;
  #checks = 0;

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  /** How often a task came to follow another. */
  get follows(): number {
    return this.#follows;
  }

  /** How many steps began to run. */
  get runs(): number {
    return this.#runs;
  }

  check(): void {
    const tasks = [...this.#observed.tasks];
    this.#checks++;
    let running = 0;
    for (const task of tasks) {
      running += task.running.length + task.digesting;
      this.#checkGrowth(task);
      checkTargets(task);
      if (this.#observed.dirty.has(task)) continue;
      checkProgress(task);
      this.#checkLooked(task);
      const idle = this.#observed.dirty.size === 0;
      if (idle && (task.serial + this.#checks) % 4 === 0) this.#checkWanted(task);
    }
    if (running !== this.#observed.unsettled) {
      throw new Violation(3, `${this.#observed.unsettled} effects run, of which ${running} are known`);
    }
    this.#checkCircles(tasks);
    for (const task of tasks) this.#countFollower(task);
    for (const task of tasks) this.#checkRun(task, tasks);
    if (this.#facts.size > 2 * tasks.length) this.#forgetSwept();
  }

  #forgetSwept(): void {
    for (const task of this.#facts.keys()) if (task.swept) this.#facts.delete(task);
  }

  #checkGrowth(task: Task): void {
    let counts = this.#facts.get(task);
    if (!counts) {
      counts = new FactCounts(task);
      this.#facts.set(task, counts);
    }
    counts.check();
  }

  /** Whoever waits for further keys of an input has looked at all that it has told. */
  #checkLooked(task: Task): void {
    for (const { matching } of task.outputs) {
      if (!matching || !task.map) continue;
      for (const { demand, index, source } of task.inputs) {
        if (!demand.open || demand.stage === stages.result || this.#observed.dirty.has(source.task)) continue;
        if (matching.probed[index]! >= source.keys.length) continue;
        throw new Violation(9, `${task.name} asks ${source.task.name} for more keys than it has looked at`);
      }
    }
  }

  /** Makes a plan, which takes a while: every task has its turn at every fourth step. */
  #checkWanted(task: Task): void {
    if (!task.busy) return;
    const { effects, asking } = this.#observed.plan(task);
    for (const { aborted, name } of task.running) {
      if (!aborted && !effects.includes(name)) throw unwanted(task, name);
    }
    for (const input of task.inputs) {
      const { aborted = true, name = '' } = input.digesting ?? {};
      if (!aborted && !wishOf(asking, input).digest) throw unwanted(task, name);
    }
  }

  /** Looks only when a relation is new: the graph itself has no circles. */
  #checkCircles(tasks: readonly Task[]): void {
    let relations = 0;
    for (const { serial, leader, building } of tasks) {
      relations = (Math.imul(relations, 31) + serial * 7 + (leader?.serial ?? -1) * 3 + building.length) | 0;
    }
    if (relations === this.#relations) return;
    this.#relations = relations;
    const done = new Set<Task>();
    const path = new Set<Task>();
    const visit = (task: Task): void => {
      if (done.has(task)) return;
      if (path.has(task))
        throw new Violation(5, `${[...path, task].map(({ name }) => name).join(' waits for ')}`);
      path.add(task);
      for (const other of waitsFor(task)) visit(other);
      path.delete(task);
      done.add(task);
    };
    tasks.forEach(visit);
  }

  /** Looks at every step that has begun to run since the last time. */
  #checkRun(task: Task, tasks: readonly Task[]): void {
    const exec = task.effect('exec');
    const started = exec !== undefined && !this.#running.has(task);
    if (exec) this.#running.add(task);
    else this.#running.delete(task);
    if (!started) return;
    this.#runs++;
    if (!this.#observed.quiet) return;
    const twin = tasks.find((other) => other !== task && this.#equal(task, other) && hasRun(other));
    if (twin) throw new Violation(9, `${task.name} runs, but ${twin.name} is the same and has run`);
  }

  #countFollower(task: Task): void {
    if (!task.leader || this.#followers.has(task)) return;
    this.#followers.add(task);
    this.#follows++;
  }

  #equal(a: Task, b: Task): boolean {
    const { oracle } = this.#observed;
    return oracle.class(stepOf(a)) === oracle.class(stepOf(b));
  }
}

const stepOf = (task: Task): number => (task.vertex as SimVertex).step;

const hasRun = (task: Task): boolean =>
  task.effect('exec')?.aborted === false || task.outputs.every(({ result }) => result);

const unwanted = (task: Task, name: string): Violation =>
  new Violation(2, `${name} of ${task.name} runs, but is not wanted`);

function checkProgress(task: Task): void {
  if (task.busy) return;
  let wanted = false;
  for (const output of task.outputs) {
    if (output.leaderDemand?.open) return;
    wanted ||= output.wanted !== stages.none;
  }
  if (!wanted) return;
  for (const { demand } of task.inputs) if (demand.open) return;
  throw new Violation(1, `${task.name} is asked, but nothing is going on`);
}

function checkTargets(task: Task): void {
  for (const { demand, source } of task.inputs)
    checkTarget(task, source.task, source.demands.includes(demand));
  if (task.leader) checkTarget(task, task.leader, task.leader.owners.includes(task));
  for (const { demands } of task.outputs) {
    for (const { asker } of demands) {
      if (asker.kind === 'waiter' || !asker.task.swept) continue;
      throw new Violation(6, `${asker.task.name} asks ${task.name} after it was swept`);
    }
  }
}

function checkTarget(task: Task, target: Task, keeps: boolean): void {
  if (target.swept) throw new Violation(6, `${task.name} rests on ${target.name}, which was swept`);
  if (!keeps) throw new Violation(6, `${task.name} does not own ${target.name}`);
}

function* waitsFor({ inputs, leader, building }: Task): Iterable<Task> {
  for (const { source } of inputs) yield source.task;
  if (leader) yield leader;
  yield* building;
}

/** What is known about a task, as numbers that never go down. No allocations: this is most of a simulation. */
class FactCounts {
  readonly #task: Task;
  readonly #counts: number[] = [];
  #at = 0;

  constructor(task: Task) {
    this.#task = task;
  }

  check(): void {
    const task = this.#task;
    this.#at = 0;
    this.#add(task.maps.length);
    this.#add(Number(task.mapsDone));
    this.#add(Number(task.failure !== undefined));
    this.#add(Number(task.executed));
    this.#add(Number(task.saved));
    this.#add(Number(task.leader !== undefined));
    for (const { contentDigest, known } of task.inputs) {
      this.#add(Number(contentDigest !== undefined));
      this.#add(known);
    }
    for (const { keys, hiddenKeys, records, unusable, result, reached } of task.outputs) {
      this.#add(keys.length);
      this.#add(hiddenKeys.length);
      this.#add(records.length);
      this.#add(unusable.length);
      this.#add(Number(result !== undefined));
      this.#add(reached);
    }
  }

  #add(count: number): void {
    const at = this.#at++;
    const before = this.#counts[at] ?? 0;
    if (count < before)
      throw new Violation(4, `fact ${at} of ${this.#task.name} went from ${before} to ${count}`);
    this.#counts[at] = count;
  }
}
