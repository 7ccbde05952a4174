/** Who is interested in a task. Nothing is written down for it but the jobs' own lists: it is asked when needed. */
import type { SessionGroup } from '../contracts/session.js';
import { append } from '../util/lists.js';
import type { Asker, Waiter } from './demand.js';
import type { Job } from './job.js';
import { stages } from './stage.js';
import type { Task } from './task.js';

/** Everybody outside the graph who waits, perhaps through many tasks, for this one. */
export function waitersOf(task: Task): ReadonlySet<Waiter> {
  const waiters = new Set<Waiter>();
  const seen = new Set([task]);
  const open = [task];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const asker of openAskers(next)) {
      if (asker.kind === 'waiter') waiters.add(asker);
      const above = asker.kind === 'waiter' ? asker.parent : asker.task;
      if (!above || seen.has(above)) continue;
      seen.add(above);
      open.push(above);
    }
  }
  return waiters;
}

/** In the order in which they joined. */
export function jobsAsking(task: Task): readonly Job[] {
  const asking = new Set([...waitersOf(task)].map(({ job }) => job));
  return task.jobs.filter((job) => asking.has(job));
}

/**
 * The sessions of all jobs that want a task now; jobs that come later are in it at the next look. When all have their
 * answer, those of the jobs it is a part of: a lazy result is read when it is exported.
 */
export class TaskSessions implements SessionGroup {
  readonly #task: Task;
  #served: Set<Job> | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  /** The jobs whose sessions were given away; undefined as long as nobody asked. */
  get served(): ReadonlySet<Job> | undefined {
    return this.#served;
  }

  ids(): readonly string[] {
    const asking = jobsAsking(this.#task);
    const jobs = asking.length > 0 ? asking : this.#task.jobs;
    this.#served = new Set([...(this.#served ?? []), ...jobs]);
    return [...new Set(jobs.flatMap((job) => job.sessions.ids()))];
  }
}

function* openAskers(task: Task): Iterable<Asker> {
  for (const output of task.outputs) {
    if (output.wanted === stages.none) continue;
    for (const demand of output.demands) if (demand.open) yield demand.asker;
  }
}

/** Makes `job` a watcher of a task and of all it rests on. Every pair of job and task is visited once. */
export function join(job: Job, task: Task): void {
  const open = [task];
  const joined: Task[] = [];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.jobs.includes(job)) continue;
    next.jobs = append(next.jobs, job);
    joined.push(next);
    for (const { source } of next.inputs) open.push(source.task);
    if (next.leader) open.push(next.leader);
    open.push(...next.building);
  }
  for (const below of joined.reverse()) job.watch(below);
}
