import type { ProgressSteps, Warning } from '../contracts/progress.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Span } from '../contracts/tracing.js';
import type { Edge, Result } from '../solver/op.js';
import type { Digest } from '../util/digest.js';

/** What a bridge needs of the build it serves; the solver's `Job` is one. */
export interface BridgeJob {
  build(edge: Edge, signal: AbortSignal): Promise<Result | undefined>;
  readonly steps: ProgressSteps;
  readonly sessions: SessionGroup;
  /** Of the build. */
  readonly span?: Span | undefined;
  warn(vertex: Digest, warning: Warning): void;
}
