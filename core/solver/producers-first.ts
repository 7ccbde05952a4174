/**
 * The usual order of turns: what others wait for comes first, so that a step with thousands of inputs looks at them
 * once, after they all moved. A binary heap by rank (see ranks.ts); ties in order of arrival.
 */
import type { TurnQueue } from './seams.js';
import type { Task } from './task.js';

interface Entry {
  readonly task: Task;
  readonly rank: number;
  readonly arrival: number;
}

export class ProducersFirst implements TurnQueue {
  readonly #heap: Entry[] = [];
  readonly #held = new Set<Task>();
  #arrivals = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(task: Task): void {
    if (this.#held.has(task)) return;
    this.#held.add(task);
    this.#rise({ task, rank: task.rank, arrival: this.#arrivals++ });
  }

  take(): Task | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last) return undefined;
    this.#held.delete(first.task);
    if (this.#heap.length > 0) this.#sink(last);
    return first.task;
  }

  #rise(entry: Entry): void {
    let at = this.#heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent]!;
      if (!before(entry, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  #sink(entry: Entry): void {
    let at = 0;
    for (let child = 1; child < this.#heap.length; child = 2 * at + 1) {
      const right = this.#heap[child + 1];
      if (right && before(right, this.#heap[child]!)) child++;
      const below = this.#heap[child]!;
      if (!before(below, entry)) break;
      this.#heap[at] = below;
      at = child;
    }
    this.#heap[at] = entry;
  }
}

const before = (a: Entry, b: Entry): boolean =>
  a.rank < b.rank || (a.rank === b.rank && a.arrival < b.arrival);
