/** What is timed. Each takes a size, so that growth can be seen, and says how many vertices that makes. */
import { collectRecords } from '../core/cache/collect.js';
import type { RefLayer, RefLayers } from '../core/contracts/refs.js';
import type { Vertex } from '../core/solver/op.js';
import { deferred, unlessAborted } from '../core/util/deferred.js';
import { sha256 } from '../core/util/digest.js';
import { configJson } from '../plugins/cache/shared/config.js';
import { encodeRecords } from '../plugins/cache/shared/encode.js';
import { chain, diamond, fanIn, type Shape, wideDeep } from './shapes.js';
import type { GraphOptions, World } from './world.js';

export interface BenchScenario {
  readonly name: string;
  /** Vertices, about. */
  readonly size: number;
  /** Made before the clock starts; answers what is timed. */
  prepare(world: World, size: number): Promise<() => Promise<void>>;
}

const wide = (size: number): Shape => wideDeep(50, Math.max(1, Math.round(size / 50)));

/** Nothing was built before. */
const cold = (name: string, shape: (size: number) => Shape, size: number): BenchScenario => ({
  name: `${name}, cold`,
  size,
  prepare: async (world, vertices) => {
    const top = world.graph(shape(vertices), { name: 'graph' });
    return () => world.build(top);
  },
});

/** Something like it was built before. */
const warm = (
  name: string,
  shape: (size: number) => Shape,
  size: number,
  before: Partial<GraphOptions> = {},
  now: Partial<GraphOptions> = {},
): BenchScenario => ({
  name,
  size,
  prepare: async (world, vertices) => {
    await world.build(world.graph(shape(vertices), { name: 'graph', ...before }));
    const top = world.graph(shape(vertices), { name: 'graph', ...now });
    return () => world.build(top);
  },
});

/** Several equal graphs, none of which shares a vertex with another, below one step. */
const duplicates: BenchScenario = {
  name: 'duplicates, cold',
  size: 3000,
  prepare: async (world, size) => {
    const copies = 10;
    const shape = wideDeep(10, Math.round(size / copies / 10));
    const tops = Array.from({ length: copies }, (_, i) =>
      world.graph(shape, { name: `copy ${i}`, keys: 'the same' }),
    );
    const top = world.step('top', tops, { name: 'graph' });
    return () => world.build(top);
  },
};

/** Fifty jobs want the same, and all but one leave while its steps run. */
const cancelStorm: BenchScenario = {
  name: 'cancel storm',
  size: 3000,
  prepare: async (world, size) => {
    const started = deferred<void>();
    const over = deferred<void>();
    const pause: GraphOptions['pause'] = async ({ signal }) => {
      started.resolve();
      await unlessAborted(over.promise, signal);
    };
    const top = world.graph(wide(size), { name: 'graph', pause });
    return async () => {
      const stop = new AbortController();
      const leaving = Array.from({ length: 49 }, () => world.build(top, stop.signal).catch(() => undefined));
      await started.promise;
      stop.abort();
      await Promise.all(leaving);
      const staying = world.build(top);
      over.resolve();
      await staying;
    };
  },
};

/** Fifty jobs at once, each with steps of its own on steps that they share. */
const sharedBase: BenchScenario = {
  name: '50 jobs on one base',
  size: 3000,
  prepare: async (world, size) => {
    const jobs = 50;
    const own = Array.from({ length: Math.round(size / 2 / jobs) }, (_, i) => `${i}`);
    const tops = Array.from({ length: jobs }, (_, i) => {
      const base: Vertex = world.graph(wide(size / 2), { name: 'base' });
      return own.reduce((below, name) => world.step(name, [below], { name: `job ${i}` }), base);
    });
    return async () => {
      await Promise.all(tops.map((top) => world.build(top)));
    };
  },
};

/** From what is known about a build to the bytes of its cache's config, with all layers at hand. */
const cacheExport: BenchScenario = {
  name: 'cache export',
  size: 10_000,
  prepare: async (world, size) => {
    const chain = await world.chain(world.graph(wide(size), { name: 'graph' }));
    const layer: RefLayer = {
      descriptor: { mediaType: 'layer', digest: sha256('layer'), size: 1 },
      diffId: sha256('tar'),
      createdAt: 0,
      description: '',
    };
    const layers = async (): Promise<RefLayers> => ({
      layers: [layer],
      provider: { read: async function* () {} },
    });
    return async () => {
      const { signal } = new AbortController();
      const records = await collectRecords([chain()!], { mode: 'max', keys: undefined, layers }, signal);
      configJson(encodeRecords(records).config);
    };
  },
};

/** With graphs of no meaning: what each takes is counted, too. */
export const solverScenarios: readonly BenchScenario[] = [
  cold('chain', chain, 3000),
  warm('chain, cached', chain, 3000),
  cold('fan-in', fanIn, 3000),
  warm('fan-in, cached', fanIn, 3000),
  cold('diamond', diamond, 3000),
  warm('diamond, cached', diamond, 3000),
  cold('wide and deep', wide, 10_000),
  warm('wide and deep, cached', wide, 10_000),
  warm('content hit', wide, 3000, { content: 'x', roots: 'old' }, { content: 'x', roots: 'new' }),
  warm('content miss', wide, 3000, { content: 'x', roots: 'old' }, { content: 'y', roots: 'new' }),
  duplicates,
  cancelStorm,
  sharedBase,
  cacheExport,
];
