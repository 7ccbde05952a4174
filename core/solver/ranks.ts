/**
 * Who waits for whom: inputs, a leader, what a running step builds. A rank is greater than those of everything a
 * task waits for, so that a new relation to a task of lower or equal rank cannot close a circle and needs no search.
 */
import type { Owner, Task } from './task.js';

/** A step of `parent` that is being run waits for tasks it owns through this. */
export class SubBuild {
  readonly parent: Task;
  readonly tasks = new Set<Task>();

  constructor(parent: Task) {
    this.parent = parent;
  }
}

/** Call before adding "`task` waits for `other`". Answers the way back, if `other` waits for `task`. */
export function wayBack(task: Task, other: Task): readonly Task[] | undefined {
  if (task === other) return [task];
  if (other.rank <= task.rank) return undefined;
  const cameFrom = new Map<Task, Task | undefined>([[other, undefined]]);
  const open = [other];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next === task) return path(cameFrom, next);
    for (const below of waitsFor(next)) {
      if (below.rank < task.rank || cameFrom.has(below)) continue;
      cameFrom.set(below, next);
      open.push(below);
    }
  }
  return undefined;
}

/** Call after adding it. */
export function rankAbove(task: Task, other: Task): void {
  const low: [Task, number][] = [[task, other.rank + 1]];
  for (let next = low.pop(); next; next = low.pop()) {
    const [raised, rank] = next;
    if (raised.rank >= rank) continue;
    raised.rank = rank;
    for (const dependant of dependants(raised)) low.push([dependant, rank + 1]);
  }
}

/** Tasks that read it, follow it or build it. */
export function* dependants(task: Task): Iterable<Task> {
  for (const { demands } of task.outputs) {
    for (const { asker } of demands) if (asker.kind === 'input') yield asker.task;
  }
  for (const owner of task.owners) {
    const dependant = dependantOf(owner);
    if (dependant) yield dependant;
  }
}

const dependantOf = (owner: Owner): Task | undefined => {
  if (owner instanceof SubBuild) return owner.parent;
  return 'vertex' in owner ? owner : undefined;
};

function* waitsFor(task: Task): Iterable<Task> {
  for (const { source } of task.inputs) yield source.task;
  if (task.leader) yield task.leader;
  yield* task.building;
}

function path(cameFrom: ReadonlyMap<Task, Task | undefined>, last: Task): Task[] {
  const tasks: Task[] = [];
  for (let next: Task | undefined = last; next; next = cameFrom.get(next)) tasks.push(next);
  return tasks.reverse();
}
