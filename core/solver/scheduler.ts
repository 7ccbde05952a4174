/**
 * Gives tasks their turns: absorb what is new, tell those who asked, plan, and make the plan true.
 *
 * Invariants, checked by the simulation after every step:
 * 1. an open demand implies a task waiting for its turn, a running effect, or an open demand below it;
 * 2. when no turn is waiting, every running effect is wanted by some plan, or was asked to stop;
 * 3. at most one effect of a name runs per task;
 * 4. facts only grow;
 * 5. waiting is acyclic;
 * 6. nobody asks a swept task;
 * 7. without jobs there are, once effects have settled, no tasks, no results and no live names.
 */
import { BuildError } from '../contracts/errors.js';
import { deferred } from '../util/deferred.js';
import { append, without } from '../util/lists.js';
import { waitersOf } from './audience.js';
import type { Demand, Waiter } from './demand.js';
import type { Effect, EffectName } from './effect.js';
import { type EffectServices, makeEffect } from './effects.js';
import { absorb } from './facts.js';
import { absorbLeader, follow, sharedLinks } from './follow.js';
import { LiveIndex } from './live-index.js';
import type { Plan } from './plan.js';
import { reconcile, withdrawAll } from './reconcile.js';
import type { EffectRunner, Outcome, Schedule, TurnQueue } from './seams.js';
import { stages } from './stage.js';
import type { Departure, Input, Owner, Task } from './task.js';
import type { TaskTable } from './task-table.js';
import { isTransient } from './transient.js';
import { Turns } from './turns.js';

export interface SchedulerOptions {
  readonly services: EffectServices;
  readonly table: TaskTable;
  readonly runner: EffectRunner;
  readonly queue: TurnQueue;
  readonly schedule: Schedule;
  /** The rules; the simulation proves itself with wrong ones. */
  readonly plan: (task: Task) => Plan;
}

export class Scheduler {
  readonly turns: Turns;
  readonly live = new LiveIndex();
  readonly #services: EffectServices;
  readonly #table: TaskTable;
  readonly #runner: EffectRunner;
  readonly #plan: (task: Task) => Plan;
  /** Given up since turns were last all taken. */
  readonly #givenUp = new Set<Effect>();

  constructor({ services, table, runner, queue, schedule, plan }: SchedulerOptions) {
    this.#services = services;
    this.#table = table;
    this.#runner = runner;
    this.#plan = plan;
    this.turns = new Turns(queue, schedule, {
      turn: (task) => this.#turn(task),
      idle: () => this.#stopUnwanted(),
    });
  }

  dirty(task: Task): void {
    this.turns.dirty(task);
  }

  ask(demand: Demand): void {
    if (demand.ask(stages.result, 0)) this.dirty(demand.target.task);
    if (!demand.open) this.#answer(demand);
  }

  withdraw(demand: Demand): void {
    if (demand.end()) this.dirty(demand.target.task);
  }

  own(owner: Owner, task: Task): void {
    if (!task.owners.includes(owner)) task.owners = append(task.owners, owner);
  }

  disown(owner: Owner, task: Task): void {
    task.owners = without(task.owners, owner);
    if (!task.owned) this.dirty(task);
  }

  /** Settles when each of these tasks was swept, or is a part of a job again. */
  async gone(tasks: readonly Task[]): Promise<void> {
    const departure: Departure = { left: 0, over: deferred<void>() };
    for (const task of tasks) {
      if (task.swept || task.jobs.length > 0) continue;
      task.departure = departure;
      departure.left++;
    }
    if (departure.left > 0) await departure.over.promise;
  }

  /** Nobody needs to wait for this task to go: a job has joined it. */
  kept(task: Task): void {
    const { departure } = task;
    task.departure = undefined;
    if (departure && --departure.left === 0) departure.over.resolve();
  }

  #turn(task: Task): void {
    if (task.swept) return;
    // Who asks is an owner: without any, nothing that is new can matter to anybody.
    if (!task.owned && !task.busy) {
      this.#sweep(task);
      return;
    }
    const touched = this.#absorb(task);
    this.#publish(task);
    const wanted = this.#plan(task);
    if (wanted.failedInput) this.#failWith(task, wanted.failedInput);
    else reconcile(task, touched, wanted, this.#actions);
    if (!task.owned && !task.busy) this.#sweep(task);
  }

  readonly #actions = {
    dirty: (task: Task): void => this.dirty(task),
    start: (task: Task, effect: EffectName): void => this.#start(task, effect),
    giveUp: (effect: Effect): void => void this.#givenUp.add(effect),
  };

  /**
   * Whose demand was just answered may ask for more in its own turn, and a step that is on its way must not be stopped
   * only to be started again.
   */
  #stopUnwanted(): void {
    for (const effect of this.#givenUp) {
      if (!effect.wanted && !effect.aborted) effect.abort();
    }
    this.#givenUp.clear();
  }

  /** Answers the inputs that were looked at. */
  #absorb(task: Task): readonly Input[] {
    if (task.leader) absorbLeader(task);
    absorb(task, this.#services.records);
    const grown = this.live.add(task);
    const touched = task.takeTouched();
    if (grown) this.#findTwins(task);
    return touched;
  }

  #findTwins(task: Task): void {
    const follower = follow(task, this.live.twins(task));
    if (!follower) return;
    if (follower !== task) this.dirty(follower);
    else absorbLeader(task);
  }

  /** Tells those whose demands are answered now. */
  #publish(task: Task): void {
    if (!task.changed) return;
    task.changed = false;
    for (const output of task.outputs) {
      // Who is told may end its demand.
      for (const demand of output.demands.slice()) if (demand.settle()) this.#answer(demand);
    }
    if (task.leader && task.outputs.every(({ result }) => result)) this.#shareLinks(task);
  }

  #answer({ asker, target }: Demand): void {
    if (asker.kind === 'waiter') {
      tell(asker, target.task, target.index);
      return;
    }
    if (asker.kind === 'input') asker.task.touch(asker);
    this.dirty(asker.task);
  }

  #shareLinks(task: Task): void {
    const { records } = this.#services;
    for (const { inputs, key } of sharedLinks(task)) records.link(inputs, key);
  }

  #failWith(task: Task, input: Input): void {
    this.#fail(task, input.source.task.failure!);
    this.dirty(task);
  }

  #fail(task: Task, error: BuildError): void {
    task.failure ??= error;
    task.changed = true;
  }

  #start(task: Task, name: EffectName): void {
    const effect = makeEffect(task, name, this.#services);
    effect.enlist();
    this.#runner.run(effect, this.#settled);
  }

  readonly #settled = (effect: Effect, outcome: Outcome): void => {
    const error = effect.over(outcome);
    this.#givenUp.delete(effect);
    if (outcome.ok) this.#done(effect, outcome.value);
    else if (!effect.aborted) this.#failed(effect, error);
    if (effect.matters) this.dirty(effect.task);
  };

  #done(effect: Effect, value: unknown): void {
    try {
      effect.done(value);
    } catch (error) {
      this.#failOwn(effect.task, error);
    }
  }

  #failed(effect: Effect, error: unknown): void {
    if (isTransient(error)) this.#failServed(effect, error);
    else if (!effect.survives(error)) this.#failOwn(effect.task, error);
  }

  /** The origin of a failure: the one place where it learns the vertex. */
  #failOwn(task: Task, error: unknown): void {
    this.#services.spans.fail(task, error);
    this.#fail(task, BuildError.from(error).wrap(undefined, { type: 'vertex', digest: task.digest }));
  }

  /**
   * The trouble of a job that it was run for, not of the step: the others go on. Every time, somebody stops waiting,
   * or all whose sessions were used had stopped: it cannot go round for ever.
   */
  #failServed({ task, served }: Effect, error: unknown): void {
    this.#services.spans.fail(task, error);
    const failure = BuildError.from(error).wrap(undefined, { type: 'vertex', digest: task.digest });
    const waiters = [...waitersOf(task)].filter(({ job }) => job);
    const blamed = waiters.find(({ job }) => !served || served.has(job!))?.job;
    for (const waiter of waiters) if (waiter.job === blamed) waiter.failed(failure);
  }

  #unread(task: Task): void {
    task.readers--;
    if (!task.owned) this.dirty(task);
  }

  #sweep(task: Task): void {
    task.swept = true;
    this.#table.remove(task);
    this.kept(task);
    this.live.remove(task);
    this.#services.spans.close(task);
    withdrawAll(task, this.#actions);
    for (const { source } of task.inputs) this.#unread(source.task);
    if (task.leader) this.disown(task, task.leader);
    for (const held of task.held) {
      this.#services.background('drop what a step held', Promise.resolve(held[Symbol.asyncDispose]()));
    }
    for (const { result } of task.outputs) {
      const value = result?.value;
      if (value) this.#services.background('dispose a result', Promise.resolve(value[Symbol.asyncDispose]()));
    }
  }
}

function tell(waiter: Waiter, task: Task, index: number): void {
  const output = task.outputs[index]!;
  if (output.result) waiter.answered(output);
  else waiter.failed(task.failure);
}
