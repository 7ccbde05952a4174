/** Vertices out of a few words, and how often each of their calls was made. */

import type { CacheMap, Edge, Op, OpContext, Result, Vertex } from '../../../../core/solver/op.js';
import { type Digest, sha256 } from '../../../../core/util/digest.js';
import { type Tracker, textOf } from './tracker.js';

export interface StepOptions {
  readonly name: string;
  readonly inputs?: readonly (Vertex | Edge)[];
  /** What the cache map's digest is made of; the name if absent. Several: several cache maps. */
  readonly key?: string | readonly string[];
  /** What the vertex digest is made of; the name if absent. */
  readonly digest?: string;
  readonly value?: string;
  readonly outputs?: number;
  readonly ignoreCache?: boolean;
  readonly heavy?: boolean;
  readonly selectors?: Readonly<Record<number, string>>;
  /** Inputs whose content may stand for them; the digest is made of their value, or what is given. */
  readonly content?: Readonly<Record<number, true | ((value: string) => string)>>;
  readonly mapping?: (context: OpContext) => Promise<void> | void;
  readonly digesting?: (context: OpContext) => Promise<void> | void;
  readonly running?: (
    context: OpContext,
    inputs: readonly (Result | undefined)[],
  ) => Promise<string | undefined> | string | undefined;
}

export class Graph {
  readonly maps = new Map<string, number>();
  readonly digests = new Map<string, number>();
  readonly runs = new Map<string, number>();
  readonly #tracker: Tracker;

  constructor(tracker: Tracker) {
    this.#tracker = tracker;
  }

  step(options: StepOptions): Vertex {
    const { name, inputs = [], outputs = 1, ignoreCache = false } = options;
    const edges = inputs.map((input) => ('vertex' in input ? input : { vertex: input, index: 0 }));
    return {
      digest: sha256(`vertex ${options.digest ?? name}`),
      name,
      inputs: edges,
      outputs,
      ignoreCache,
      exportCache: undefined,
      progressGroup: undefined,
      description: {},
      op: this.#op(options, edges.length),
    };
  }

  total(counts: ReadonlyMap<string, number>): number {
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Run counts by name, in the order of first runs. */
  get ran(): Record<string, number> {
    return Object.fromEntries(this.runs);
  }

  reset(): void {
    for (const counts of [this.maps, this.digests, this.runs]) counts.clear();
  }

  #op(options: StepOptions, inputs: number): Op {
    const { name, key = name, outputs = 1 } = options;
    const keys = typeof key === 'string' ? [key] : key;
    return {
      heavy: options.heavy ?? false,
      cacheMap: async (index, context) => {
        count(this.maps, name);
        await options.mapping?.(context);
        return { map: this.#map(options, keys[index]!, inputs), done: index + 1 >= keys.length };
      },
      exec: async (results, context) => {
        count(this.runs, name);
        const value = options.running
          ? await options.running(context, results)
          : (options.value ?? `${name}(${results.map(textOf).join(' ')})`);
        return Array.from({ length: outputs }, (_, i) =>
          value === undefined ? undefined : this.#tracker.make(outputs > 1 ? `${value}#${i}` : value),
        );
      },
    };
  }

  #map({ name, selectors, content, digesting }: StepOptions, key: string, inputs: number): CacheMap {
    const digest = key.startsWith('random:') ? (key as Digest) : sha256(`key ${key}`);
    return {
      digest,
      deps: Array.from({ length: inputs }, (_, i) => {
        const how = content?.[i];
        return {
          selector: selectors?.[i] === undefined ? undefined : sha256(selectors[i]),
          contentDigest:
            how &&
            (async (input, context) => {
              count(this.digests, name);
              await digesting?.(context);
              return sha256(`content ${how === true ? textOf(input) : how(textOf(input))}`);
            }),
        };
      }),
    };
  }
}

const count = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1);
};
