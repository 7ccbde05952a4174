/**
 * What a build tells its watchers. A vertex is announced, started and completed under its digest; statuses
 * (transfer bars), logs and warnings belong to a vertex. BuildKit: client/graph.go, E9 of the wire facts.
 */
import type { Digest } from '../util/digest.js';
import type { SourceInfo, SourceRange } from './errors.js';
import type { SpanContext } from './tracing.js';

export interface ProgressGroup {
  readonly id: string;
  readonly name: string;
  readonly weak: boolean;
}

export type ProgressEvent =
  | {
      readonly type: 'vertex';
      readonly digest: Digest;
      readonly name: string;
      readonly inputs: readonly Digest[];
      readonly group?: ProgressGroup;
      /** Milliseconds since the epoch, with fraction; absent until it happened. */
      readonly started?: number;
      readonly completed?: number;
      readonly cached: boolean;
      /** Empty when it succeeded. A cancelled vertex ends in `context canceled`. */
      readonly error: string;
    }
  | {
      readonly type: 'status';
      readonly vertex: Digest;
      /** Unique within its vertex: `extracting sha256:…`, `transferring context:`. */
      readonly id: string;
      readonly name: string;
      readonly current: number;
      /** 0 when unknown. */
      readonly total: number;
      readonly timestamp: number;
      readonly started?: number;
      readonly completed?: number;
    }
  | {
      readonly type: 'log';
      readonly vertex: Digest;
      readonly timestamp: number;
      readonly stream: 'stdout' | 'stderr';
      readonly data: Uint8Array;
    }
  | ({ readonly type: 'warning'; readonly vertex: Digest } & Warning);

export interface Warning {
  readonly level: number;
  readonly short: string;
  readonly detail: readonly string[];
  readonly url?: string;
  readonly source?: SourceInfo;
  readonly ranges?: readonly SourceRange[];
}

/** Reports on behalf of one vertex. Every method is cheap and never throws. */
export interface Progress {
  /**
   * Opens or updates the bar `id`; `completed: true` closes it. Calling it per chunk is fine: updates are
   * coalesced for watchers.
   */
  status(id: string, update: StatusUpdate): void;
  log(stream: 'stdout' | 'stderr', data: Uint8Array): void;
  warn(warning: Warning): void;
  /** A vertex that has completed shows as running until this is disposed: its result, made lazily, is needed now. */
  resume?(): Disposable;
  /** The span of the work that it is told by; absent: nobody traces. See step-span.ts. */
  readonly span?: SpanContext;
}

export interface StatusUpdate {
  readonly name?: string;
  readonly current?: number;
  readonly total?: number;
  readonly completed?: boolean;
}

export const silentProgress: Progress = { status() {}, log() {}, warn() {} };

/** Shows the bar `id` while `work` runs; a failure closes it as well. */
export async function statusWhile<T>(progress: Progress, id: string, work: () => Promise<T>): Promise<T> {
  progress.status(id, {});
  try {
    return await work();
  } finally {
    progress.status(id, { completed: true });
  }
}

/**
 * Reports steps that are no LLB vertices (`[internal] load build definition`, `exporting to oci`).
 * `step` announces a vertex, runs `work`, and completes it, with its error if it fails.
 */
export interface ProgressSteps {
  step<T>(
    name: string,
    work: (progress: Progress) => Promise<T>,
    options?: { readonly id?: string },
  ): Promise<T>;
}
