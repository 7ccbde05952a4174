/**
 * What a daemon answers, over a socket (client/grpc/) or in this process (the engine's `control`): the same calls,
 * the same messages. Errors are BuildErrors either way.
 */
import type { SpanContext } from '../core/contracts/index.js';
import type { control, debug, gateway, Init } from '../proto/index.js';
import type { BridgeConnection } from './gateway/connection.js';
import type { HistoryApi } from './history-api.js';

export interface Call {
  readonly signal: AbortSignal;
  /** Parent of the spans that the daemon opens. */
  readonly trace?: SpanContext | undefined;
}

export interface ControlApi {
  /** Blocks until the build ends. */
  solve(request: control.SolveRequest, call: Call): Promise<control.SolveResponse>;
  /** Replays a build's progress from its start and follows it to its end. */
  status(request: control.StatusRequest, call: Call): AsyncIterable<control.StatusResponse>;
  listWorkers(request: control.ListWorkersRequest, call: Call): Promise<control.ListWorkersResponse>;
  info(request: control.InfoRequest, call: Call): Promise<control.InfoResponse>;
  diskUsage(request: control.DiskUsageRequest, call: Call): Promise<control.DiskUsageResponse>;
  prune(request: control.PruneRequest, call: Call): AsyncIterable<control.UsageRecord>;
  listPlugins(request: debug.ListPluginsRequest, call: Call): Promise<debug.ListPluginsResponse>;
  explain(request: debug.ExplainRequest, call: Call): Promise<debug.ExplainResponse>;
  tasks(request: debug.TasksRequest, call: Call): Promise<debug.TasksResponse>;
  /** What it holds at this moment. */
  resources(request: debug.ResourcesRequest, call: Call): Promise<debug.ResourcesResponse>;
  /** What such a prune would do with each record. */
  planPrune(request: control.PruneRequest, call: Call): Promise<debug.PlanPruneResponse>;
  /** Absent where nothing is remembered. */
  readonly history?: HistoryApi;
  /** The LLBBridge of a build that was started without frontend and definition. */
  bridge(ref: string): BridgeApi;
}

/** LLBBridge: any call of it, and by name those that every program makes. */
export interface BridgeApi extends BridgeConnection {
  ping(call: Call): Promise<gateway.PongResponse>;
  solve(request: Init<gateway.SolveRequest>, call: Call): Promise<gateway.SolveResponse>;
  return(request: Init<gateway.ReturnRequest>, call: Call): Promise<gateway.ReturnResponse>;
}
