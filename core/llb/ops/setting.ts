import type { LlbDefinition, LlbMetadata } from '../../contracts/frontend.js';
import type { Worker } from '../../contracts/worker.js';
import type { Edge } from '../../solver/op.js';
import type { Platform } from '../../util/platform.js';

/** What an op knows beside its body. */
export interface OpSetting {
  /** The step's name, as people see it. */
  readonly name: string;
  /** The marshalled op, for error details. */
  readonly bytes: Uint8Array;
  readonly metadata: LlbMetadata;
  readonly inputCount: number;
  /** Normalised; the daemon's own where the op names none. */
  readonly platform: Platform;
  readonly worker: Worker;
  /** Loads a definition that turns up while the op runs, with the same rights as the op's own. */
  readonly loadNested: (definition: LlbDefinition, signal: AbortSignal) => Promise<Edge | undefined>;
}
