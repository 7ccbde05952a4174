/**
 * Who asks whom for what. A demand names one output of a task; it asks for a stage, for none in between, and below
 * `result` it also says how many keys the asker knew: any further key answers it. An answered demand asks for nothing.
 *
 * Invariants: (1) `Output.demanded` counts exactly the open demands, so that a task knows its highest open demand
 * without looking at its (perhaps thousands of) consumers; (2) `Output.demands` has every demand until it ends.
 */
import { append } from '../util/lists.js';
import type { Job } from './job.js';
import { type Stage, stageName, stages } from './stage.js';
import type { Input, Output, Task } from './task.js';

/** An input of a task, a task that asks its leader, or somebody outside the graph who waits for a result. */
export type Asker = Input | Follower | Waiter;

export interface Follower {
  readonly kind: 'follower';
  readonly task: Task;
}

/** Waits for a result on behalf of a job, or of a running step of another task (a sub-build). */
export interface Waiter {
  readonly kind: 'waiter';
  readonly job: Job | undefined;
  readonly parent: Task | undefined;
  answered(output: Output): void;
  failed(error: unknown): void;
}

export class Demand {
  readonly asker: Asker;
  readonly target: Output;
  #stage: Stage = stages.none;
  /** Keys the asker knew when it asked. */
  #seen = 0;
  #open = false;
  /** Where `target.demands` has it; negative when it has ended. */
  #at: number;

  constructor(asker: Asker, target: Output) {
    this.asker = asker;
    this.target = target;
    this.#at = target.demands.length;
    target.demands = append(target.demands, this);
  }

  get open(): boolean {
    return this.#open;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** From now on for `stage`. True when the target must look again: its highest open demand is another one now. */
  ask(stage: Stage, seen: number): boolean {
    const before = this.target.wanted;
    this.#close();
    this.#stage = stage;
    this.#seen = seen;
    if (stage !== stages.none && !this.#isAnswered()) {
      this.#open = true;
      this.target.demanded[stage]!++;
    }
    return this.target.wanted !== before;
  }

  /** Withdraws it for good. True when the target must look again. */
  end(): boolean {
    if (this.#at < 0) return false;
    const demands = this.target.demands as Demand[];
    const last = demands.pop()!;
    if (last !== this) {
      demands[this.#at] = last;
      last.#at = this.#at;
    }
    this.#at = -1;
    return this.ask(stages.none, 0);
  }

  /** True when it was open and the target's facts answer it now. */
  settle(): boolean {
    if (!this.#open || !this.#isAnswered()) return false;
    this.#close();
    return true;
  }

  toString(): string {
    return `${stageName(this.#stage)} of ${this.target.task.name}`;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.target.demanded[this.#stage]!--;
  }

  #isAnswered(): boolean {
    const { keys, reached, task } = this.target;
    if (task.failure || reached >= this.#stage) return true;
    return this.#stage < stages.result && keys.length > this.#seen;
  }
}
