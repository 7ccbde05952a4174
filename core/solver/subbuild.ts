/**
 * Builds that a running step asks for (`context.build`). Their tasks belong to the step until its effect settles,
 * and their progress to every job that watches the step.
 */
import { BuildError } from '../contracts/errors.js';
import { append } from '../util/lists.js';
import { join } from './audience.js';
import type { Edge, Result } from './op.js';
import { rankAbove, type SubBuild, wayBack } from './ranks.js';
import { requestResult } from './requests.js';
import type { Scheduler } from './scheduler.js';
import type { Task } from './task.js';
import type { TaskTable } from './task-table.js';

export class SubBuilds {
  readonly #table: TaskTable;
  readonly #scheduler: () => Scheduler;

  constructor(table: TaskTable, scheduler: () => Scheduler) {
    this.#table = table;
    this.#scheduler = scheduler;
  }

  /** `owner` keeps the tasks: release it when the effect settles. */
  async build(owner: SubBuild, edge: Edge, signal: AbortSignal): Promise<Result | undefined> {
    const { parent } = owner;
    const output = this.#table.load(edge);
    const { task } = output;
    const scheduler = this.#scheduler();
    scheduler.own(owner, task);
    owner.tasks.add(task);
    const back = wayBack(parent, task);
    if (back) throw cycle(parent, back);
    parent.building = append(parent.building, task);
    rankAbove(parent, task);
    for (const job of parent.jobs) join(job, task);
    try {
      return await requestResult(scheduler, { job: undefined, parent }, output, signal);
    } finally {
      stopBuilding(parent, task);
    }
  }

  release(owner: SubBuild): void {
    for (const task of owner.tasks) this.#scheduler().disown(owner, task);
    owner.tasks.clear();
  }
}

function stopBuilding(parent: Task, task: Task): void {
  const at = parent.building.indexOf(task);
  if (at >= 0) parent.building = parent.building.toSpliced(at, 1);
}

function cycle(parent: Task, back: readonly Task[]): BuildError {
  const path = [parent, ...back].map(({ name }) => name).join(' -> ');
  return new BuildError('solver.cycle', `a step would wait for itself: ${path}`, {
    grpcCode: 'FailedPrecondition',
    hint: 'a build op must not build a graph that contains the op itself',
  });
}
