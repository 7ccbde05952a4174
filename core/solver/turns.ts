/**
 * Gives dirty tasks their turns.
 *
 * Invariants: (1) one turn at a time, never inside another; (2) a task that becomes dirty during its own turn gets
 * another one; (3) after `budget` turns in a row the event loop goes round once, so that sockets and timers live.
 */
import type { Schedule, TurnQueue } from './seams.js';
import type { Task } from './task.js';

const budget = 500;

export interface TurnWork {
  turn(task: Task): void;
  /** Every turn was taken. */
  idle(): void;
}

export class Turns {
  readonly #queue: TurnQueue;
  readonly #schedule: Schedule;
  readonly #work: TurnWork;
  #scheduled = false;
  #taken = 0;

  constructor(queue: TurnQueue, schedule: Schedule, work: TurnWork) {
    this.#queue = queue;
    this.#schedule = schedule;
    this.#work = work;
  }

  /** How many turns were taken so far: tests and benches bound it per vertex. */
  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  dirty(task: Task): void {
    if (task.queued) return;
    task.queued = true;
    this.#queue.add(task);
    if (!this.#scheduled) this.#wake(false);
  }

  /** Takes one turn; false when nothing is dirty. */
  step(): boolean {
    const task = this.#queue.take();
    if (!task) return false;
    task.queued = false;
    this.#taken++;
    this.#work.turn(task);
    if (this.#queue.size === 0) this.#work.idle();
    return true;
  }

  #wake(yielding: boolean): void {
    this.#scheduled = true;
    this.#schedule(this.#drain, yielding);
  }

  readonly #drain = (): void => {
    for (let left = budget; left > 0 && this.step(); left--);
    this.#scheduled = false;
    if (this.#queue.size > 0) this.#wake(true);
  };
}
