/**
 * What one build asks of the solver, and what it gets to see. A job keeps every task of its builds alive until it is
 * disposed; disposing waits until what only it wanted has stopped and what it made is recorded.
 */
import { BuildError, canceled } from '../contracts/errors.js';
import type { ProgressEvent, ProgressSteps, Warning } from '../contracts/progress.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Span } from '../contracts/tracing.js';
import type { Digest } from '../util/digest.js';
import { without } from '../util/lists.js';
import { type Explanation, explain } from './explain.js';
import type { ForeignCache } from './foreign.js';
import { type ChainResult, cacheChain, cacheChains, chainResult, type KeyChain } from './key-chain.js';
import type { Edge, Op, Result } from './op.js';
import { JobSteps } from './progress/job-steps.js';
import { JobStream } from './progress/job-stream.js';
import type { Clock } from './seams.js';
import type { Output, Task } from './task.js';

export interface Job extends AsyncDisposable {
  readonly id: string;
  /** This job's own session. */
  readonly sessions: SessionGroup;
  readonly span: Span | undefined;
  /** Steps that are no vertices of a graph. */
  readonly steps: ProgressSteps;
  /** Solves an edge. The caller owns the result (undefined: an empty tree). */
  build(edge: Edge, signal: AbortSignal): Promise<Result | undefined>;
  /** Everything so far, then live, until the job is disposed. May be read more than once. */
  progress(signal: AbortSignal): AsyncIterable<ProgressEvent>;
  warn(vertex: Digest, warning: Warning): void;
  /** How each vertex fared, and why. Usable while the job lives. */
  explain(): readonly Explanation[];
  /** Caches that the tasks of this job are looked up in besides the solver's own store. */
  readonly caches: readonly ForeignCache[];
  /** Of use for steps that were not looked up yet: call it before they are built. */
  addCache(cache: ForeignCache): void;
  /** The keys that lead to an edge this job has built, with the results it has: what a cache exporter writes. */
  cacheChain(edge: Edge): KeyChain | undefined;
  /** Those that lead to every result there is by now: of a job that is not done, or has failed. */
  cacheChains(): readonly KeyChain[];
  /** The op that runs an edge's step for this job: equal vertices share one. undefined: it was not asked for. */
  op(edge: Edge): Op | undefined;
  /** What is known of an edge's result. Its tree is borrowed. */
  found(edge: Edge): ChainResult | undefined;
  /** Called by the solver: `task` is now a part of this job. */
  watch(task: Task): void;
}

/** What a job needs of the solver. */
export interface JobHost {
  readonly clock: Clock;
  /** Solves an edge for `job`, keeping its task alive for `owner`. */
  request(job: Job, owner: object, edge: Edge, signal: AbortSignal): Promise<Result | undefined>;
  find(job: Job, edge: Edge): Output | undefined;
  joined(job: Job, task: Task): void;
  /** A hit further on made `task` needless for `job`. */
  skipped(job: Job, task: Task): void;
  /** Lets go of everything that `owner` keeps alive, and waits for the last of it. */
  leave(job: Job, owner: object, tasks: Iterable<Task>): Promise<void>;
}

export interface JobOptions {
  readonly sessionId: string;
  readonly span?: Span;
}

export class SolverJob implements Job {
  readonly id: string;
  readonly sessions: SessionGroup;
  readonly span: Span | undefined;
  readonly steps: JobSteps;
  readonly caches: ForeignCache[] = [];
  readonly #host: JobHost;
  readonly #stream: JobStream;
  readonly #tasks: Task[] = [];
  /** Of a job that is traced. */
  readonly #byDigest = new Map<Digest, Task>();
  readonly #owner = {};
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(id: string, { sessionId, span }: JobOptions, host: JobHost) {
    this.id = id;
    this.sessions = { ids: () => [sessionId] };
    this.span = span;
    this.#host = host;
    this.#stream = new JobStream(host.clock, (digest) => this.#skipped(digest));
    this.steps = new JobSteps(this.#stream, host.clock, span?.context);
  }

  async build(edge: Edge, signal: AbortSignal): Promise<Result | undefined> {
    if (this.#closed) throw closed(this.id);
    return await this.#host.request(this, this.#owner, edge, AbortSignal.any([signal, this.#closing.signal]));
  }

  progress(signal: AbortSignal): AsyncIterable<ProgressEvent> {
    return this.#stream.read(signal);
  }

  warn(vertex: Digest, warning: Warning): void {
    this.#stream.push({ type: 'warning', vertex, ...warning });
  }

  explain(): readonly Explanation[] {
    return this.#tasks.map(explain);
  }

  addCache(cache: ForeignCache): void {
    this.caches.push(cache);
  }

  cacheChain(edge: Edge): KeyChain | undefined {
    const output = this.#host.find(this, edge);
    return output && cacheChain(output);
  }

  cacheChains(): readonly KeyChain[] {
    // A task of a sub-build may be gone before its job is.
    const live = this.#tasks.filter(({ swept }) => !swept);
    return cacheChains(live.flatMap(({ outputs }) => outputs.filter(chainResult)));
  }

  op(edge: Edge): Op | undefined {
    return this.#host.find(this, edge)?.task.vertex.op;
  }

  found(edge: Edge): ChainResult | undefined {
    const output = this.#host.find(this, edge);
    return output && chainResult(output);
  }

  watch(task: Task): void {
    this.#tasks.push(task);
    if (this.span) this.#byDigest.set(task.digest, task);
    task.log.attach(this.#stream);
    this.#host.joined(this, task);
  }

  #skipped(digest: Digest): void {
    const task = this.#byDigest.get(digest);
    if (task) this.#host.skipped(this, task);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(canceled());
    this.#stream.close();
    for (const task of this.#tasks) {
      task.jobs = without<Job>(task.jobs, this);
      task.log.detach(this.#stream);
    }
    await this.#host.leave(this, this.#owner, this.#tasks);
    this.#tasks.length = 0;
    this.caches.length = 0;
    this.#byDigest.clear();
  }
}

const closed = (id: string): BuildError =>
  new BuildError('solver.job-closed', `job ${id} is over`, { grpcCode: 'FailedPrecondition' });
