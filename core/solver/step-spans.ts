/**
 * One span per task that runs or is loaded, below the job that started it; jobs that join later get a short span
 * that points to it. Spans opened below an effect become its children.
 */
import type { LogFields, Logger } from '../contracts/logger.js';
import {
  type Span,
  type SpanContext,
  type SpanOptions,
  silentTracing,
  type Tracing,
} from '../contracts/tracing.js';
import type { Job } from './job.js';
import type { Task } from './task.js';

export type Tags = NonNullable<SpanOptions['tags']>;

export class StepSpans {
  readonly #tracing: Tracing;
  readonly #logger: Logger;
  /** Nobody asked for spans: then a step is not slowed down by them either. */
  readonly #silent: boolean;

  constructor(tracing: Tracing, logger: Logger) {
    this.#tracing = tracing;
    this.#silent = tracing === silentTracing;
    this.#logger = logger;
  }

  /** Learning a key is no run: it gets a span of its own. */
  key<T>(task: Task, work: (span?: SpanContext) => Promise<T>): Promise<T> {
    if (this.#silent) return work();
    const options = { ...this.#parent(task), tags: tagsOf(task) };
    return this.#tracing.trace(`cache key: ${task.name}`, options, ({ context }) => work(context));
  }

  child<T>(task: Task, name: string, tags: Tags, work: (span?: SpanContext) => Promise<T>): Promise<T> {
    if (this.#silent) return work();
    task.span ??= this.#start(task);
    const options = { parent: task.span.context, tags: { vertex: task.digest, ...tags } };
    return this.#tracing.trace(name, options, ({ context }) => work(context));
  }

  finish(task: Task, cached: boolean): void {
    task.span?.setTag('cached', cached);
    task.span?.finish();
  }

  fail(task: Task, error: unknown): void {
    task.span?.fail(error);
    task.span?.finish();
    task.span = undefined;
  }

  /** `job` shares a step that another one started. */
  join(job: Job, task: Task): void {
    if (!task.span || !job.span) return;
    const tags = { ...tagsOf(task), shared: true };
    const options = { parent: job.span.context, followsFrom: task.span.context, tags };
    this.#tracing.start(task.name, options).finish();
  }

  /** Something further on was a hit, so that this step was not even looked up: a moment of its own says so. */
  skip(job: Job, task: Task): void {
    if (task.span) task.span.setTag('cached', true);
    else if (job.span) {
      const options = { parent: job.span.context, tags: { ...tagsOf(task), cached: true } };
      this.#tracing.start(task.name, options).finish();
    }
  }

  /** A task that goes away while its span is open was not needed to the end. */
  close(task: Task): void {
    task.span?.finish();
  }

  warn(message: string, error: unknown): void {
    const fields: LogFields = { err: error };
    this.#logger.warn(message, fields);
  }

  #start(task: Task): Span {
    return this.#tracing.start(task.name, { ...this.#parent(task), tags: tagsOf(task) });
  }

  #parent(task: Task): SpanOptions {
    const span = task.jobs.find((job) => job.span)?.span;
    return { parent: span?.context };
  }
}

const tagsOf = ({ vertex }: Task): Tags => ({ ...vertex.description, vertex: vertex.digest });
