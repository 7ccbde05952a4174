/**
 * The usual order of turns: what others wait for comes first, so that a step with thousands of inputs looks at them
 * once, after they all moved. A binary heap by rank (see ranks.ts); ties in order of arrival.
 */
import type { TurnQueue } from './seams.js';
import type { Task } from './task.js';

/** More than ever arrive while some task waits; ranks times this are still whole numbers. */
const arrivalsPerRank = 2 ** 32;

export class ProducersFirst implements TurnQueue {
  /** Rank and arrival in one number, apart from the tasks: comparing touches nothing else. */
  readonly #places: number[] = [];
  readonly #tasks: Task[] = [];
  #arrivals = 0;

  get size(): number {
    return this.#tasks.length;
  }

  add(task: Task): void {
    if (this.#tasks.length === 0) this.#arrivals = 0;
    const place = task.rank * arrivalsPerRank + this.#arrivals++;
    let at = this.#tasks.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#places[parent]! < place) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, place, task);
  }

  take(): Task | undefined {
    const first = this.#tasks[0];
    const place = this.#places.pop();
    const last = this.#tasks.pop();
    if (place !== undefined && last && this.#tasks.length > 0) this.#sink(place, last);
    return first;
  }

  /** From the top. */
  #sink(place: number, task: Task): void {
    let at = 0;
    for (let child = 1; child < this.#places.length; child = 2 * at + 1) {
      if (this.#places[child + 1]! < this.#places[child]!) child++;
      if (this.#places[child]! > place) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, place, task);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#places[from]!, this.#tasks[from]!);
  }

  #put(at: number, place: number, task: Task): void {
    this.#places[at] = place;
    this.#tasks[at] = task;
  }
}
