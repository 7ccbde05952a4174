import type { Kv } from '../../../../core/contracts/kv.js';
import type { Logger } from '../../../../core/contracts/logger.js';
import type { Threads } from '../../../../core/contracts/threads.js';

/** What a local snapshotter stands on. */
export interface SnapshotterHome {
  /** Owned by the snapshotter alone. */
  readonly dir: string;
  /** Names its table in the store: the worker plugin's id. */
  readonly id: string;
  readonly kv: Kv;
  readonly threads: Threads;
  readonly logger?: Logger;
}
