/**
 * What always holds, whatever happens in whatever order. Checked after every step of a simulation, from outside:
 * nothing here uses what the solver derives from its facts, only the facts and relations themselves.
 *
 * 1. An open demand implies a task waiting for its turn, a running effect, or an open demand below it.
 * 2. Between turns every running effect is wanted by some plan, or was asked to stop.
 * 3. At most one effect of a name runs per task.
 * 4. Facts only grow.
 * 5. Waiting is acyclic.
 * 6. Nobody asks a swept task, or rests on one.
 * 7. Without jobs there are no tasks, effects, results, live names; results are used while they are held, and released
 *    once; every stored result has a key.
 * 8. An answer is the oracle's.
 * 9. Nothing is done that need not be: no step runs while an equal one runs or has its result, or when a record of it
 *    is at hand; a graph that was built before takes one load.
 *
 * 1 to 6 and a part of 9 are here; 7 and 8 speak of moments at which a simulation looks itself (life.ts).
 */
import { type Plan, wishOf } from '../../core/solver/plan.js';
import { stages } from '../../core/solver/stage.js';
import type { Output, Task } from '../../core/solver/task.js';
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
  readonly #facts = new Map<Task, readonly number[]>();
  readonly #running = new Set<Task>();
  readonly #followers = new Set<Task>();
  #relations = '';
  #follows = 0;
  #runs = 0;

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
    let running = 0;
    for (const task of tasks) {
      running += task.running.size;
      this.#checkGrowth(task);
      checkTargets(task);
      if (this.#observed.dirty.has(task)) continue;
      checkProgress(task);
      this.#checkWanted(task);
    }
    if (running !== this.#observed.unsettled) {
      throw new Violation(3, `${this.#observed.unsettled} effects run, of which ${running} are known`);
    }
    this.#checkCircles(tasks);
    for (const task of tasks) this.#countFollower(task);
    for (const task of tasks) this.#checkRun(task, tasks);
    for (const task of this.#facts.keys()) if (task.swept) this.#facts.delete(task);
  }

  #checkGrowth(task: Task): void {
    const facts = factsOf(task);
    const before = this.#facts.get(task);
    const shrunk = before?.findIndex((count, i) => count > facts[i]!) ?? -1;
    if (shrunk >= 0) throw new Violation(4, `fact ${shrunk} of ${task.name} went from ${before} to ${facts}`);
    this.#facts.set(task, facts);
  }

  #checkWanted(task: Task): void {
    if (task.running.size === 0) return;
    const { effects, asking } = this.#observed.plan(task);
    for (const [name, { aborted }] of task.running) {
      const [kind, index] = name.split(' ');
      const input = kind === 'digest' ? task.inputs[Number(index)] : undefined;
      const wanted = input ? wishOf(asking, input).digest : effects.includes(name);
      if (!wanted && !aborted) throw new Violation(2, `${name} of ${task.name} runs, but is not wanted`);
    }
  }

  /** Looks only when a relation is new: the graph itself has no circles. */
  #checkCircles(tasks: readonly Task[]): void {
    const relations = tasks
      .map(({ serial, leader, building }) => `${serial}>${leader?.serial}>${building.size}`)
      .join();
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
    const exec = task.running.get('exec');
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

const hasRun = ({ running, outputs }: Task): boolean =>
  running.get('exec')?.aborted === false || outputs.every(({ result }) => result);

function checkProgress(task: Task): void {
  if (task.running.size > 0 || task.outputs.every(({ wanted }) => wanted === stages.none)) return;
  const asks =
    task.inputs.some(({ demand }) => demand?.open) ||
    task.outputs.some(({ leaderDemand }) => leaderDemand?.open);
  if (!asks) throw new Violation(1, `${task.name} is asked, but nothing is going on`);
}

function checkTargets(task: Task): void {
  for (const target of targetsOf(task)) {
    if (target.swept) throw new Violation(6, `${task.name} rests on ${target.name}, which was swept`);
    if (!target.owners.has(task)) throw new Violation(6, `${task.name} does not own ${target.name}`);
  }
  for (const { demands } of task.outputs) {
    for (const { asker } of demands) {
      if (asker.kind !== 'waiter' && asker.task.swept) {
        throw new Violation(6, `${asker.task.name} asks ${task.name} after it was swept`);
      }
    }
  }
}

function* targetsOf(task: Task): Iterable<Task> {
  for (const { source } of task.inputs) yield source.task;
  if (task.leader) yield task.leader;
}

function* waitsFor(task: Task): Iterable<Task> {
  yield* targetsOf(task);
  yield* task.building.keys();
}

/** Numbers that never go down. */
const factsOf = (task: Task): readonly number[] => [
  task.maps.length,
  Number(task.mapsDone),
  Number(task.failure !== undefined),
  Number(task.executed),
  Number(task.saved),
  Number(task.leader !== undefined),
  ...task.inputs.map(({ contentDigest }) => Number(contentDigest !== undefined)),
  ...task.inputs.map(({ known }) => known),
  ...task.outputs.flatMap(outputFacts),
];

const outputFacts = ({ keys, hiddenKeys, records, unusable, result, reached }: Output): readonly number[] => [
  keys.length,
  hiddenKeys.length,
  records.size,
  unusable.size,
  Number(result !== undefined),
  reached,
];
