/** {@link ControlApi} over a connection. */
import { BuildError, unsupported } from '../../core/contracts/index.js';
import type { control, debug } from '../../proto/index.js';
import { Control, Debug } from '../../proto/services.js';
import type { BridgeApi, Call, ControlApi } from '../control-api.js';
import type { HistoryApi } from '../history-api.js';
import type { Connection } from './connection.js';
import { GrpcBridge } from './grpc-bridge.js';
import { GrpcHistory } from './grpc-history.js';

export class GrpcControl implements ControlApi {
  readonly history: HistoryApi;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.history = new GrpcHistory(connection);
  }

  solve(request: control.SolveRequest, call: Call): Promise<control.SolveResponse> {
    return this.#connection.unary(Control.Solve, request, call);
  }

  status(request: control.StatusRequest, call: Call): AsyncIterable<control.StatusResponse> {
    return this.#connection.stream(Control.Status, request, call);
  }

  listWorkers(request: control.ListWorkersRequest, call: Call): Promise<control.ListWorkersResponse> {
    return this.#connection.unary(Control.ListWorkers, request, call);
  }

  info(request: control.InfoRequest, call: Call): Promise<control.InfoResponse> {
    return this.#connection.unary(Control.Info, request, call);
  }

  diskUsage(request: control.DiskUsageRequest, call: Call): Promise<control.DiskUsageResponse> {
    return this.#connection.unary(Control.DiskUsage, request, call);
  }

  prune(request: control.PruneRequest, call: Call): AsyncIterable<control.UsageRecord> {
    return this.#connection.stream(Control.Prune, request, call);
  }

  listPlugins(request: debug.ListPluginsRequest, call: Call): Promise<debug.ListPluginsResponse> {
    return this.#debug(this.#connection.unary(Debug.ListPlugins, request, call));
  }

  explain(request: debug.ExplainRequest, call: Call): Promise<debug.ExplainResponse> {
    return this.#debug(this.#connection.unary(Debug.Explain, request, call));
  }

  tasks(request: debug.TasksRequest, call: Call): Promise<debug.TasksResponse> {
    return this.#debug(this.#connection.unary(Debug.Tasks, request, call));
  }

  resources(request: debug.ResourcesRequest, call: Call): Promise<debug.ResourcesResponse> {
    return this.#debug(this.#connection.unary(Debug.Resources, request, call));
  }

  planPrune(request: control.PruneRequest, call: Call): Promise<debug.PlanPruneResponse> {
    return this.#debug(this.#connection.unary(Debug.PlanPrune, request, call));
  }

  /** Only daemons of this project serve the debug calls. */
  #debug<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      if (!(error instanceof BuildError) || error.grpcCode !== 'Unimplemented') throw error;
      const { address } = this.#connection;
      throw unsupported(
        'client.other-daemon',
        `the daemon at ${address} does not answer this: it is another BuildKit`,
        {
          cause: error,
        },
      );
    });
  }

  bridge(ref: string): BridgeApi {
    return new GrpcBridge(this.#connection, ref);
  }
}
