/**
 * What the solver works on. It knows vertices, keys and opaque results; LLB, protobuf and containers stay above.
 */
import type { Progress, ProgressGroup } from '../contracts/progress.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Digest } from '../util/digest.js';
import type { Stop } from './seams.js';

/** A result the solver hands around: counted handles, as `ImmutableRef` is. */
export interface Result extends AsyncDisposable {
  clone(): Result;
}

/** One step of a graph. Equal digests are one task, whoever asks. */
export interface Vertex {
  readonly digest: Digest;
  readonly name: string;
  readonly inputs: readonly Edge[];
  /** How many outputs the op has. */
  readonly outputs: number;
  /** Run even when a record matches; its new keys are not offered to dependants. */
  readonly ignoreCache: boolean;
  /** undefined: as the cache exporter decides. */
  readonly exportCache: boolean | undefined;
  readonly progressGroup: ProgressGroup | undefined;
  /** Tags for the step's span and for `explain`. */
  readonly description: Readonly<Record<string, string>>;
  readonly op: Op;
}

/** Output `index` of a vertex. */
export interface Edge {
  readonly vertex: Vertex;
  readonly index: number;
}

/** How a vertex is keyed and run. One op object serves one task; it may keep state between the calls. */
export interface Op {
  /**
   * The n-th cache map; `done: false` promises another. Called with rising n, never twice at once. Only of a step
   * without inputs is more than the first asked for: its maps are other names of the same thing.
   */
  cacheMap(index: number, context: OpContext): Promise<{ readonly map: CacheMap; readonly done: boolean }>;
  /** One result per output (undefined: an empty tree). The results become the solver's. Inputs are borrowed. */
  exec(inputs: readonly (Result | undefined)[], context: OpContext): Promise<readonly (Result | undefined)[]>;
  /** Takes a slot of the parallelism limit while it executes; file and source ops do not. */
  readonly heavy: boolean;
  /** Whose limit that is; absent: everybody's. */
  readonly pool?: string;
}

/** How a step is keyed. BuildKit: solver/types.go CacheMap. */
export interface CacheMap {
  /** Digest of the step itself, without its inputs. A `random:` digest never persists. */
  readonly digest: Digest;
  readonly deps: readonly CacheMapDep[];
}
export interface CacheMapDep {
  /** Selects a part of the input; part of the definition link, never of the content link. */
  readonly selector: Digest | undefined;
  /** Digest of what the step reads of this input, if its content may stand for it. */
  readonly contentDigest: ((input: Result | undefined, context: OpContext) => Promise<Digest>) | undefined;
}

/** What an effect may use; everything it holds is gone when the effect settles. */
export interface OpContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Sessions of every job that wants this step now. */
  readonly sessions: SessionGroup;
  /**
   * Solves an edge on behalf of this effect (build ops). The caller owns the result; the tasks behind it are let go
   * when the effect settles. A cycle is an error naming its path.
   */
  build(edge: Edge): Promise<Result | undefined>;
  /** Holds something that an error tells of: for as long as the step is known, which is until its jobs are over. */
  keep(held: AsyncDisposable): void;
}

/** Where results outlive the solver. Ids are opaque. */
export interface ResultStore {
  /** Makes a result durable and answers its id. Its signal costs more than a save that has nothing to wait for. */
  save(result: Result | undefined, stop: Stop): Promise<string>;
  /** Rejects when it is gone: the solver then looks for another record, or runs the step. */
  load(id: string, signal: AbortSignal): Promise<Result | undefined>;
  /** Cheap and synchronous: matching asks it for every candidate. */
  has(id: string): boolean;
  /** The key store no longer names this id. */
  release(id: string): Promise<void>;
}
