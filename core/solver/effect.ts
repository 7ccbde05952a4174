/**
 * One asynchronous step of a task on its way: what stops it, what its op may use meanwhile, and what becomes of its
 * outcome. The kinds are in effects.ts.
 *
 * One object is all of that, and makes what it hands out when it is asked: most calls of an op look at nothing here.
 */
import type { Progress } from '../contracts/progress.js';
import { withSpan } from '../contracts/step-span.js';
import type { SpanContext } from '../contracts/tracing.js';
import { append, without } from '../util/lists.js';
import { TaskSessions } from './audience.js';
import type { EffectServices } from './effects.js';
import type { Job } from './job.js';
import type { Edge, OpContext, Result } from './op.js';
import { SubBuild } from './ranks.js';
import type { Outcome, Work } from './seams.js';
import type { Slot } from './slots.js';
import type { Tags } from './step-spans.js';
import type { Task } from './task.js';

/** At most one of each name runs at a time, per task. */
export type EffectName = 'map' | 'exec' | 'save' | `digest ${number}` | `load ${number}`;

export abstract class Effect<T = unknown> implements Work<T>, OpContext {
  abstract readonly name: EffectName;
  readonly task: Task;
  /** By the plan of the last turn. */
  wanted = true;
  protected readonly services: EffectServices;
  /** Of the limit on heavy steps, while it has one. */
  protected slot: Slot | undefined;
  #aborted = false;
  #controller: AbortController | undefined;
  #sessions: TaskSessions | undefined;
  #builds: SubBuild | undefined;
  #shown = false;
  /** Of what it is doing now. */
  #span: SpanContext | undefined;

  constructor(task: Task, services: EffectServices) {
    this.task = task;
    this.services = services;
  }

  /** It is on its way now. */
  enlist(): void {
    this.task.running = append(this.task.running, this);
  }

  protected discharge(): void {
    this.task.running = without(this.task.running, this);
  }

  abstract work(): Promise<T>;
  /** Adds the facts. */
  abstract done(value: T): void;

  /** Its task has to look at what came of it. */
  get matters(): boolean {
    return true;
  }

  /** Takes note of a failure that is no abort; false: it fails the task. */
  survives(_error: unknown): boolean {
    return false;
  }

  /** The row of the step has the error as it is; the build says what for. BuildKit: solver/edge.go. */
  protected explained(error: unknown): unknown {
    return error;
  }

  /** It is over, and ends what it began. Answers its failure, if it failed, as the build has it. */
  over(outcome: Outcome): unknown {
    this.discharge();
    if (this.#builds) this.services.builds.release(this.#builds);
    const error = outcome.ok ? undefined : outcome.error;
    if (this.#shown) this.task.log.completed(error);
    return outcome.ok ? undefined : this.explained(error);
  }

  /** Shows the vertex started, and completed when it is over. */
  protected show(cached: boolean): void {
    this.#shown = true;
    this.task.log.started(cached);
  }

  /** For people. */
  get label(): string {
    return `${this.name} of ${this.task.name}`;
  }

  /** It was asked to stop. */
  get aborted(): boolean {
    return this.#aborted;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  /** It settles all the same, perhaps with a value. */
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  get sessions(): TaskSessions {
    this.#sessions ??= new TaskSessions(this.task);
    return this.#sessions;
  }

  /** The jobs whose sessions it used; undefined as long as it asked for none. */
  get served(): ReadonlySet<Job> | undefined {
    return this.#sessions?.served;
  }

  get progress(): Progress {
    return withSpan(this.task.log, this.#span);
  }

  /** Does a part of the work in a span of the step. */
  protected traced<T>(name: string, tags: Tags, work: () => Promise<T>): Promise<T> {
    return this.services.spans.child(this.task, name, tags, this.#below(work));
  }

  /** The same outside of it, while the step is not known yet. */
  protected tracedKey<T>(work: () => Promise<T>): Promise<T> {
    return this.services.spans.key(this.task, this.#below(work));
  }

  #below<T>(work: () => Promise<T>): (span?: SpanContext) => Promise<T> {
    return (span) => {
      this.#span = span;
      return work();
    };
  }

  async build(edge: Edge): Promise<Result | undefined> {
    this.#builds ??= new SubBuild(this.task);
    const owner = this.#builds;
    const solve = (): Promise<Result | undefined> => this.services.builds.build(owner, edge, this.signal);
    return this.slot ? await this.#without(this.slot, solve) : await solve();
  }

  /** A step that is stopped on the way back to its slot gets no result. */
  async #without(slot: Slot, solve: () => Promise<Result | undefined>): Promise<Result | undefined> {
    let result: Result | undefined;
    const work = async (): Promise<void> => {
      result = await solve();
    };
    try {
      await slot.without(work, this.signal);
      return result;
    } catch (error) {
      await result?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  keep(held: AsyncDisposable): void {
    this.task.keep(held);
  }
}
