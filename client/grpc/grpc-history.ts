/** {@link HistoryApi} over a connection: two calls of Control, and containerd's content service beside it. */
import type { control, Init } from '../../proto/index.js';
import { Content, Control } from '../../proto/services.js';
import type { Call } from '../control-api.js';
import type { HistoryApi } from '../history-api.js';
import type { Connection } from './connection.js';

export class GrpcHistory implements HistoryApi {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  listen(request: Init<control.BuildHistoryRequest>, call: Call): AsyncIterable<control.BuildHistoryEvent> {
    return this.#connection.stream(Control.ListenBuildHistory, request, call);
  }

  async update(request: Init<control.UpdateBuildHistoryRequest>, call: Call): Promise<void> {
    await this.#connection.unary(Control.UpdateBuildHistory, request, call);
  }

  async *blob(digest: string, call: Call): AsyncIterable<Uint8Array> {
    for await (const { data } of this.#connection.stream(Content.Read, { digest }, call)) yield data;
  }
}
