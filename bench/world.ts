/** A solver on stores in memory, with steps that take no time: what is left is the scheduler's. Everything is counted. */
import { silentLogger } from '../core/contracts/logger.js';
import { silentTracing } from '../core/contracts/tracing.js';
import { MemoryKv } from '../core/kv/memory-kv.js';
import type { KeyChain } from '../core/solver/key-chain.js';
import { KeyStore } from '../core/solver/keys/key-store.js';
import type { CacheMap, Op, OpContext, Result, ResultStore, Vertex } from '../core/solver/op.js';
import { Solver } from '../core/solver/solver.js';
import { type Digest, sha256 } from '../core/util/digest.js';
import type { Shape } from './shapes.js';

export interface Counts {
  readonly turns: number;
  /** Questions to the key store. */
  readonly queries: number;
  readonly maps: number;
  readonly digests: number;
  readonly runs: number;
  readonly loads: number;
}

export interface GraphOptions {
  /** What vertex digests are made of; graphs of different names share no vertex. */
  readonly name: string;
  /** What cache maps are made of: graphs with the same keys are equal step by step. */
  readonly keys?: string;
  /** The same for steps without inputs, where it differs. */
  readonly roots?: string;
  /** Every input has a content digest: that of this text. */
  readonly content?: string;
  /** Tells each step to wait before it runs. */
  readonly pause?: (context: OpContext) => Promise<void>;
}

class Made implements Result {
  clone(): Made {
    return new Made();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class Saved implements ResultStore {
  readonly ids = new Set<string>();
  loads = 0;

  async save(): Promise<string> {
    const id = `result-${this.ids.size}`;
    this.ids.add(id);
    return id;
  }

  async load(): Promise<Result> {
    this.loads++;
    return new Made();
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  async release(id: string): Promise<void> {
    this.ids.delete(id);
  }
}

export class World implements AsyncDisposable {
  readonly solver: Solver;
  readonly #keys = new KeyStore(new MemoryKv());
  readonly #results = new Saved();
  readonly #calls = { maps: 0, digests: 0, runs: 0 };
  #jobs = 0;
  #time = 0;
  #size = 0;

  constructor() {
    this.solver = new Solver({
      keys: this.#keys,
      results: this.#results,
      tracing: silentTracing,
      logger: silentLogger,
      maxParallelism: 0,
      clock: { now: () => this.#time++ },
    });
  }

  /** Steps and inputs of all graphs made in it. */
  get size(): number {
    return this.#size;
  }

  get counts(): Counts {
    const turns = this.solver.inner.scheduler.turns.taken;
    return { turns, queries: this.#keys.queries, ...this.#calls, loads: this.#results.loads };
  }

  /** The last vertex of a shape. */
  graph(shape: Shape, options: GraphOptions): Vertex {
    const vertices: Vertex[] = [];
    for (const [i, ports] of shape.entries()) {
      const inputs = ports.map(({ step }) => vertices[step]!);
      vertices.push(this.step(`${i}`, inputs, options));
    }
    return vertices.at(-1)!;
  }

  step(name: string, inputs: readonly Vertex[], options: GraphOptions): Vertex {
    const { name: graph, keys = graph, roots = keys } = options;
    this.#size += 1 + inputs.length;
    return {
      digest: sha256(`vertex ${graph} ${name}`),
      name: `${graph} ${name}`,
      inputs: inputs.map((vertex) => ({ vertex, index: 0 })),
      outputs: 1,
      ignoreCache: false,
      exportCache: undefined,
      progressGroup: undefined,
      description: {},
      op: this.#op(sha256(`${inputs.length > 0 ? keys : roots} ${name}`), inputs.length, options),
    };
  }

  /** Builds in a job of its own. */
  async build(top: Vertex, signal = new AbortController().signal): Promise<void> {
    this.#jobs++;
    await using job = this.solver.openJob(`job-${this.#jobs}`, { sessionId: 'session' });
    await using _ = await job.build({ vertex: top, index: 0 }, signal);
  }

  /** Keeps what it built until it is disposed; answers the keys that lead to it. */
  async chain(top: Vertex, signal = new AbortController().signal): Promise<() => KeyChain | undefined> {
    this.#jobs++;
    const job = this.solver.openJob(`job-${this.#jobs}`, { sessionId: 'session' });
    await using _ = await job.build({ vertex: top, index: 0 }, signal);
    return () => job.cacheChain({ vertex: top, index: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.solver[Symbol.asyncDispose]();
  }

  #op(digest: Digest, inputs: number, { content, pause }: GraphOptions): Op {
    const dep = {
      selector: undefined,
      contentDigest: content === undefined ? undefined : this.#digester(content),
    };
    const map: CacheMap = { digest, deps: Array.from({ length: inputs }, () => dep) };
    return {
      heavy: false,
      cacheMap: async () => {
        this.#calls.maps++;
        return { map, done: true };
      },
      exec: async (_, context) => {
        this.#calls.runs++;
        await pause?.(context);
        return [new Made()];
      },
    };
  }

  #digester(content: string): () => Promise<Digest> {
    const digest = sha256(content);
    return async () => {
      this.#calls.digests++;
      return digest;
    };
  }
}

export const difference = (after: Counts, before: Counts): Counts =>
  Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Counts]]),
  ) as unknown as Counts;
