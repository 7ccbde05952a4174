/**
 * Who asks whom for what. A demand names one output of a task and a stage; below `result` it also says how many keys
 * the asker knew, and any further key answers it. An answered demand asks for nothing.
 *
 * Invariant: `Output.demanded` counts exactly the open demands, so that a task knows its highest open demand without
 * looking at its (perhaps thousands of) consumers.
 */
import type { Job } from './job.js';
import { type Stage, stageName, stages } from './stage.js';
import type { Input, Output, Task } from './task.js';

/** A task that asks an input or its leader, or somebody outside the graph who waits for a result. */
export type Asker =
  | { readonly kind: 'input'; readonly task: Task; readonly input: Input }
  | { readonly kind: 'follower'; readonly task: Task }
  | Waiter;

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
  readonly stage: Stage;
  /** Keys the asker knew when it asked. */
  readonly seen: number;
  #open = false;

  constructor(asker: Asker, target: Output, stage: Stage, seen: number) {
    this.asker = asker;
    this.target = target;
    this.stage = stage;
    this.seen = seen;
  }

  get open(): boolean {
    return this.#open;
  }

  /** True when the target must look again. */
  place(): boolean {
    const { target } = this;
    target.demands.add(this);
    if (isAnswered(this)) return false;
    this.#open = true;
    const before = target.wanted;
    target.demanded[this.stage]!++;
    return target.wanted !== before;
  }

  /** True when the target must look again: nobody else asks for as much. */
  withdraw(): boolean {
    this.target.demands.delete(this);
    return this.#close();
  }

  /** True when it was open and the target's facts answer it now. */
  settle(): boolean {
    if (!this.#open || !isAnswered(this)) return false;
    this.#close();
    return true;
  }

  toString(): string {
    return `${stageName(this.stage)} of ${this.target.task.name}`;
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    const before = this.target.wanted;
    this.target.demanded[this.stage]!--;
    return this.target.wanted !== before;
  }
}

function isAnswered({ target, stage, seen }: Demand): boolean {
  if (target.task.failure || target.reached >= stage) return true;
  return stage < stages.result && target.keys.length > seen;
}
