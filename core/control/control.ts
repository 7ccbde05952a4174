/**
 * The API of the daemon without its transport: what gRPC serves and what embedding programs call. Every method takes
 * and answers messages of the wire. BuildKit: control/control.go.
 */
import type { control, debug, otlp, types } from '../../proto/index.js';
import {
  BuildError,
  type ContentStore,
  type Logger,
  notFound,
  type PluginStatus,
  type Span,
  silentTracing,
  type Tracing,
  type Workers,
} from '../contracts/index.js';
import type { LlbBridge } from '../gateway/llb-bridge.js';
import type { History } from '../history/history.js';
import { finishedSpans } from '../history/traces/otlp-spans.js';
import type { Explanation } from '../solver/explain.js';
import type { Solver } from '../solver/solver.js';
import { parseFilter } from '../util/filter.js';
import { Activity } from './activity.js';
import { BridgeCalls } from './bridge-calls.js';
import { Builds } from './builds.js';
import type { Call } from './call.js';
import type { Collector } from './collector.js';
import { Garbage, type GarbageOptions } from './garbage.js';
import { Journal } from './journal.js';
import { type Counted, resources } from './resources.js';
import { RunningBuilds } from './running-builds.js';
import { type Build, type SolveServices, solve } from './solve.js';
import { statusMessages } from './status-stream.js';
import { diskUsage, workerMessage } from './usage.js';

/** How long Status waits for a build to appear, in milliseconds (wire facts E2.5). */
const STATUS_WAIT_MS = 6000;
/** How long LLBBridge calls wait for theirs (E2.2). */
const BRIDGE_WAIT_MS = 3000;

export interface ControlOptions extends Omit<SolveServices, 'builds' | 'journal'> {
  readonly workers: Workers;
  readonly tracing: Tracing;
  readonly logger: Logger;
  readonly version: types.BuildkitVersion;
  readonly plugins: () => readonly PluginStatus[];
  readonly content: ContentStore;
  /** Tables of what is around the builds: sessions. */
  readonly tables: () => Counted;
  readonly gcRules: GarbageOptions['rules'];
  readonly gcLastRun?: GarbageOptions['lastRun'];
}

export class Control implements AsyncDisposable {
  readonly history: History;
  readonly content: ContentStore;
  readonly #options: ControlOptions;
  readonly #running = new RunningBuilds();
  readonly #builds = new Builds<Build>();
  readonly #journal = new Journal();
  readonly #garbage: Garbage;
  readonly activity = new Activity();

  constructor(options: ControlOptions) {
    this.#options = options;
    this.history = options.history;
    this.content = options.content;
    const { workers, caches, logger, gcRules: rules, gcLastRun: lastRun } = options;
    this.#garbage = new Garbage({
      workers,
      rules,
      logger,
      keys: caches.keys,
      isThere: (result) => caches.results.has(result),
      oldestBegan: () => this.#builds.oldestBegan(),
      ...(lastRun ? { lastRun } : {}),
    });
  }

  async solve(request: control.SolveRequest, call: Call): Promise<control.SolveResponse> {
    const { tracing } = this.#options;
    const services = { ...this.#options, builds: this.#builds, journal: this.#journal };
    const tags = { ref: request.Ref, frontend: request.Frontend };
    const traced = (span: Span): Span | undefined => (tracing === silentTracing ? undefined : span);
    try {
      return await tracing.trace('solve', { parent: call.trace, tags }, (span) =>
        this.activity.note(
          { ref: request.Ref, frontend: request.Frontend },
          () => this.#journal.find(request.Ref),
          () => this.#running.run((signal) => solve(services, request, signal, traced(span)), call.signal),
        ),
      );
    } finally {
      this.#garbage.collector.buildEnded();
    }
  }

  /** Waits for the build, replays its progress and follows it to its end. One that is over is read from its record. */
  async *status(request: control.StatusRequest, call: Call): AsyncIterable<control.StatusResponse> {
    const known = this.#builds.peek(request.Ref) ?? this.#builds.ended(request.Ref);
    const past = known ? undefined : await this.history.replay(request.Ref, call.signal);
    if (past) return yield* past;
    const { job } = known ?? (await this.#builds.find(request.Ref, STATUS_WAIT_MS, call.signal));
    yield* statusMessages(job.progress(call.signal));
  }

  async listWorkers(request: control.ListWorkersRequest, _call: Call): Promise<control.ListWorkersResponse> {
    const filters = request.filter.map(parseFilter);
    const { workers, version, llb } = this.#options;
    const devices = llb.devices.list();
    const records = workers.list.map((worker) =>
      workerMessage(worker, version, this.#garbage.rulesOf(worker), devices),
    );
    const wanted = records.filter(
      ({ ID, Labels }) =>
        filters.length === 0 ||
        filters.some((filter) => filter(([field, key]) => (field === 'id' ? ID : Labels[key ?? '']))),
    );
    return { record: wanted };
  }

  async info(_request: control.InfoRequest, _call: Call): Promise<control.InfoResponse> {
    return { buildkitVersion: this.#options.version };
  }

  diskUsage(request: control.DiskUsageRequest, _call: Call): Promise<control.DiskUsageResponse> {
    return diskUsage(this.#options.workers, request);
  }

  prune(request: control.PruneRequest, call: Call): AsyncIterable<control.UsageRecord> {
    return this.#garbage.prune(request, call.signal);
  }

  /** What such a prune would do with each record. */
  planPrune(request: control.PruneRequest, call: Call): Promise<debug.PlanPruneResponse> {
    return this.#garbage.planPrune(request, call.signal);
  }

  /** Spans of clients: for the traces of their builds, and for where this daemon's own ones go. */
  async exportSpans(
    request: otlp.ExportTraceServiceRequest,
    _call: Call,
  ): Promise<otlp.ExportTraceServiceResponse> {
    const { tracing } = this.#options;
    if (!tracing.forward) {
      throw new BuildError('control.no-traces', 'this daemon keeps no traces', { grpcCode: 'Unavailable' });
    }
    tracing.forward(finishedSpans(request));
    return {};
  }

  async listPlugins(_request: debug.ListPluginsRequest, _call: Call): Promise<debug.ListPluginsResponse> {
    return { plugins: this.#options.plugins().map(pluginMessage) };
  }

  async explain(request: debug.ExplainRequest, _call: Call): Promise<debug.ExplainResponse> {
    const running = request.ref === '' ? this.#builds.newest() : this.#builds.peek(request.ref);
    const steps = running?.job.explain() ?? this.#journal.find(request.ref);
    if (!steps) {
      throw request.ref === ''
        ? notFound('control.no-such-job', 'no build has run since the daemon was started')
        : notFound('control.no-such-job', `no build ${request.ref} is remembered`);
    }
    const wanted = steps.filter(({ digest }) =>
      digest.replace('sha256:', '').startsWith(request.vertex.replace('sha256:', '')),
    );
    return { steps: wanted.map(explanationMessage) };
  }

  async tasks(_request: debug.TasksRequest, _call: Call): Promise<debug.TasksResponse> {
    return { table: this.#options.solver.dump() };
  }

  async resources(request: debug.ResourcesRequest, _call: Call): Promise<debug.ResourcesResponse> {
    const { tables, workers, solver } = this.#options;
    const counted = { builds: this.#running.count, tasks: solver.load.tasks, ...tables() };
    return resources(counted, workers, request.collect);
  }

  get collector(): Collector {
    return this.#garbage.collector;
  }

  get load(): Solver['load'] {
    return this.#options.solver.load;
  }

  /** No builds are taken any more. */
  get draining(): boolean {
    return this.#running.closed;
  }

  /** Takes no new builds, and waits until none runs, or no longer than the signal allows. */
  drain(signal: AbortSignal): Promise<void> {
    return this.#running.drain(signal);
  }

  /** The LLBBridge calls of a build, for programs in this process. */
  bridge(ref: string): BridgeCalls {
    return new BridgeCalls((signal) => this.findBridge(ref, signal));
  }

  /** Cancels the builds that run and waits for them and their records; no others are begun. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    this.#builds[Symbol.dispose]();
    await this.history[Symbol.asyncDispose]();
    await this.#garbage[Symbol.asyncDispose]();
  }

  /** NotFound when no such build comes up in time, or its frontend runs here. */
  async findBridge(ref: string, signal: AbortSignal): Promise<LlbBridge> {
    const { bridge } = await this.#builds.find(ref, BRIDGE_WAIT_MS, signal);
    if (bridge) return bridge;
    throw notFound('control.no-such-job', `build ${ref} is not driven over LLBBridge`);
  }
}

function pluginMessage({ kind, id, origin, status }: PluginStatus): debug.PluginRecord {
  const reason =
    status.state === 'skipped' ? status.reason : status.state === 'failed' ? status.error.message : '';
  return { kind, id, origin, state: status.state, reason };
}

const explanationMessage = ({ digest, name, outcome, because, key }: Explanation): debug.Explanation => ({
  digest,
  name,
  outcome,
  because,
  keys: [
    ...key.step.map((value) => ({ name: 'step', value })),
    ...key.inputs.flatMap(({ vertex, selector, content, keys }, index) => [
      { name: `input ${index}`, value: vertex },
      ...(selector ? [{ name: `input ${index} selector`, value: selector }] : []),
      ...(content ? [{ name: `input ${index} content`, value: content }] : []),
      ...keys.map((value) => ({ name: `input ${index} key`, value })),
    ]),
  ],
});
