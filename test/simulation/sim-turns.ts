/** Turns in an order that a seed decides. */
import type { TurnQueue } from '../../core/solver/seams.js';
import type { Task } from '../../core/solver/task.js';
import type { Random } from './random.js';

/** Any dirty task may be next. */
export class AnyOrder implements TurnQueue {
  readonly #random: Random;
  readonly #tasks: Task[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#tasks.length;
  }

  add(task: Task): void {
    this.#tasks.push(task);
  }

  take(): Task | undefined {
    if (this.size === 0) return undefined;
    const at = this.#random.int(this.size);
    const task = this.#tasks[at]!;
    const last = this.#tasks.pop()!;
    if (last !== task) this.#tasks[at] = last;
    return task;
  }
}

/** Knows which tasks are dirty. */
export class Watched implements TurnQueue {
  readonly dirty = new Set<Task>();
  /** Whose turn it was. */
  last: Task | undefined;
  readonly #queue: TurnQueue;

  constructor(queue: TurnQueue) {
    this.#queue = queue;
  }

  get size(): number {
    return this.#queue.size;
  }

  add(task: Task): void {
    this.dirty.add(task);
    this.#queue.add(task);
  }

  take(): Task | undefined {
    const task = this.#queue.take();
    if (task) this.dirty.delete(task);
    this.last = task;
    return task;
  }
}
