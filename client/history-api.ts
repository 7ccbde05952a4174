/** What a daemon remembers of builds, and the blobs that its records name. */
import type { control, Init } from '../proto/index.js';
import type { Call } from './control-api.js';

export interface HistoryApi {
  /** Records that are there, and, without `EarlyExit`, what becomes of them from now on. */
  listen(request: Init<control.BuildHistoryRequest>, call: Call): AsyncIterable<control.BuildHistoryEvent>;
  /** Pins, unpins or deletes a record. */
  update(request: Init<control.UpdateBuildHistoryRequest>, call: Call): Promise<void>;
  /** The content of a blob: logs, traces, manifests, attestations. */
  blob(digest: string, call: Call): AsyncIterable<Uint8Array>;
}
