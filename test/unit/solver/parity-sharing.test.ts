/** BuildKit's scheduler tests about what live builds share and export, with their counts (docs/dev/scheduler-parity.md). */
import { expect } from 'chai';
import type { CacheRecord } from '../../../core/contracts/cache.js';
import { BuildError, canceled } from '../../../core/contracts/errors.js';
import type { Job } from '../../../core/solver/job.js';
import type { KeyChain } from '../../../core/solver/key-chain.js';
import { mergeRecords } from '../../../core/solver/keys/merge-records.js';
import type { Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';
import type { StepOptions } from './support/graph.js';
import { textOf } from './support/tracker.js';

/** Every record that a chain leads to, and how many of them have a result. */
function recordsOf(top: KeyChain | undefined): { records: number; results: number } {
  const nodes = new Set<KeyChain>();
  const open = top ? [top] : [];
  for (let node = open.pop(); node; node = open.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    open.push(...node.inputs.flatMap((links) => links.map((link) => link.node)));
  }
  const names = new Set([...nodes].flatMap(({ digest, aliases }) => [digest, ...aliases]));
  return { records: names.size, results: [...nodes].filter(({ result }) => result).length };
}

describe('solver: BuildKit, sharing', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  const step = (name: string, key: string, value: string, more: Partial<StepOptions> = {}): Vertex =>
    bench.graph.step({ name, key, value, ...more });
  const sum = (
    name: string,
    own: number,
    inputs: readonly (Vertex | { vertex: Vertex; index: number })[],
  ): Vertex =>
    bench.graph.step({
      name,
      inputs,
      running: (_, read) =>
        `${read.reduce((total, input) => total + Number(textOf(input).split('#')[0]), own)}`,
    });
  /** Two callers must be there before either goes on. */
  const together = (): (() => Promise<void>) => {
    const gate = new Gate();
    return async () => {
      if (gate.waits === 1) gate.open();
      await gate.waitDeaf();
    };
  };
  const failure = (work: Promise<unknown>): Promise<BuildError> =>
    work.then(
      () => new BuildError('unknown', 'it did not fail'),
      (error: unknown) => error as BuildError,
    );

  it('SingleLevelActiveGraph: a vertex is solved once, as long as any job holds it', async () => {
    const make = (value: string): Vertex => step('v0', `random:${value}`, value);
    const first = bench.job();
    expect(await bench.value(first, make('result0'))).to.equal('result0');
    const second = bench.job();
    expect(await bench.value(second, make('result1'))).to.equal('result0');
    await first[Symbol.asyncDispose]();
    const third = bench.job();
    expect(await bench.value(third, make('result2'))).to.equal('result0');
    await Promise.all([second, third].map((job) => job[Symbol.asyncDispose]()));
    expect(await bench.build(make('result3'))).to.equal('result3');
    expect(bench.graph.ran).to.deep.equal({ v0: 2 });
    const both = await Promise.all([bench.build(make('result4')), bench.build(make('result5'))]);
    expect(both).to.deep.equal(['result4', 'result4']);
  });

  it('SingleLevelCacheParallel: equal steps of two jobs run once', async () => {
    const mapping = together();
    const make = (name: string): Vertex => step(name, 'seed0', 'result0', { mapping });
    const both = await Promise.all([bench.build(make('v0')), bench.build(make('v1'))]);
    expect(both).to.deep.equal(['result0', 'result0']);
    expect([bench.graph.total(bench.graph.maps), bench.graph.total(bench.graph.runs)]).to.deep.equal([2, 1]);
  });

  it('MultiLevelCacheParallel: and so do those above them', async () => {
    const mapping = together();
    const make = (suffix: string): Vertex =>
      step(`v0${suffix}`, 'seed0', 'result0', {
        inputs: [step(`v1${suffix}`, 'seed1', 'result1', { mapping })],
      });
    const both = await Promise.all([bench.build(make('')), bench.build(make(' again'))]);
    expect(both).to.deep.equal(['result0', 'result0']);
    expect([bench.graph.total(bench.graph.maps), bench.graph.total(bench.graph.runs)]).to.deep.equal([4, 2]);
  });

  it('ParallelInputs: inputs are keyed and run side by side', async () => {
    const [mapping, running] = [together(), together()];
    const inputs = ['v1', 'v2'].map((name) =>
      bench.graph.step({ name, mapping, running: () => running().then(() => name) }),
    );
    expect(await bench.build(bench.graph.step({ name: 'v0', inputs }))).to.equal('v0(v1 v2)');
  });

  it('ErrorReturns: of a cache map, of a step, and a cancellation that nobody asked for', async () => {
    const failing = (name: string, more: Partial<StepOptions>): Vertex => {
      const inputs = [bench.graph.step({ name: `${name} bad`, ...more }), step('v2', 'seed2', 'result2')];
      return bench.graph.step({ name, inputs });
    };
    const fail = (error: Error) => (): never => {
      throw error;
    };
    const ofMap = await failure(bench.build(failing('v0', { mapping: fail(new Error('error-from-test')) })));
    const ofRun = await failure(
      bench.build(failing('v1', { running: fail(new Error('exec-error-from-test')) })),
    );
    const cancelled = await failure(bench.build(failing('v3', { mapping: fail(canceled()) })));
    expect([ofMap.message, ofRun.message, cancelled.code]).to.deep.equal([
      'failed to load cache key: error-from-test',
      'exec-error-from-test',
      'canceled',
    ]);
  });

  it('ParallelBuildsIgnoreCache: normal steps join those that ignore their cache, never the reverse', async () => {
    const jobs: Job[] = [];
    const build = async (name: string, seed: string, value: string, ignoreCache = false): Promise<string> => {
      const job = bench.job();
      jobs.push(job);
      return await bench.value(job, step(name, seed, value, { ignoreCache }));
    };
    const values = [
      await build('v0', 'seed0', 'result0'),
      await build('v0', 'seed1', 'result1', true),
      await build('v2', 'seed2', 'result2'),
      await build('v3', 'seed2', 'result3', true),
      await build('v4', 'seed2', 'result4', true),
      await build('v5', 'seed2', 'result5'),
    ];
    expect(values).to.deep.equal(['result0', 'result1', 'result2', 'result3', 'result3', 'result3']);
    await Promise.all(jobs.map((job) => job[Symbol.asyncDispose]()));
  });

  it('Subbuild: once, and not again when the step is in the cache', async () => {
    const { graph } = bench;
    const make = (): Vertex => {
      const seven = sum('7', 7, []);
      const running: StepOptions['running'] = async (context) => {
        const result = await context.build({ vertex: seven, index: 0 });
        const value = textOf(result);
        await result![Symbol.asyncDispose]();
        return value;
      };
      return sum('top', 1, [graph.step({ name: 'builds', running })]);
    };
    expect([await bench.build(make()), graph.ran]).to.deep.equal(['8', { builds: 1, 7: 1, top: 1 }]);
    graph.reset();
    expect([await bench.build(make()), graph.ran]).to.deep.equal(['8', {}]);
  });

  it('MergedEdgesLookup: a step reads one of two equal ones directly, the other from below', async () => {
    const four = (name: string): Vertex =>
      bench.graph.step({ name, key: 'four', value: '4', inputs: [step(`2 of ${name}`, 'two', '2')] });
    const zero = step('zero', 'zero', '0');
    const between = sum('between', 0, [four('a'), zero]);
    expect(await bench.build(sum('top', 3, [between, four('b')]))).to.equal('11');
    expect(bench.graph.total(bench.graph.maps)).to.equal(7);
    expect(bench.graph.total(bench.graph.runs)).to.equal(5);
  });

  for (const [test, copies, ports] of [
    ['MergedEdgesCycle', 2, ['0.1', '1.0', '0.0', '1.1']],
    ['MergedEdgesCycleMultipleOwners', 3, ['1.0', '0.0', '2.1', '0.1', '0.2', '1.2']],
  ] as const) {
    it(`${test}: equal steps of which different outputs are read first`, async () => {
      const base = step('base', 'base', 'x');
      const steps = Array.from({ length: copies }, (_, i) =>
        bench.graph.step({ name: `v${i}`, key: 'same', value: '5', inputs: [base], outputs: 3 }),
      );
      const inputs = ports.map((port) => {
        const [copy, index] = port.split('.').map(Number);
        return { vertex: steps[copy!]!, index: index! };
      });
      expect(await bench.build(sum('top', 1, inputs))).to.equal(`${1 + 5 * ports.length}`);
      expect(bench.graph.total(bench.graph.runs)).to.equal(3);
    });
  }

  it('StaleEdgeMerge: followers of a job that has gone keep what they follow, and others may still join', async () => {
    const { tasks } = bench.solver.inner;
    const make = (i: number): Vertex => {
      const inputs = [step(`dep${i}`, 'dep', '1')];
      return step(`v${i}`, 'same', '2', { inputs });
    };
    const names = (): string[] => [...tasks].map(({ name }) => name).sort();
    const jobs = [bench.job(), bench.job(), bench.job()] as const;
    await bench.value(jobs[0], make(0));
    await bench.value(jobs[1], make(1));
    await jobs[0][Symbol.asyncDispose]();
    expect(names()).to.deep.equal(['dep0', 'dep1', 'v0', 'v1']);
    await bench.value(jobs[2], make(2));
    await jobs[1][Symbol.asyncDispose]();
    await settle();
    expect(names()).to.include.members(['dep0', 'dep2', 'v0', 'v2']);
    expect(names()).to.not.include('v1');
    await jobs[2][Symbol.asyncDispose]();
    expect(names()).to.deep.equal([]);
    expect(bench.graph.ran).to.deep.equal({ dep0: 1, v0: 1 });
  });

  it('UnknownBuildID: there is no such job', () => {
    expect(bench.solver.job('unknown')).to.equal(undefined);
  });

  it('MultipleCacheSources: records of another cache are found like own ones', async () => {
    const imported = (): CacheRecord => {
      const base = { digest: chain.inputs[0]![0]!.node.digest, inputs: [] };
      const layers = { layers: [], provider: {} as never };
      return { digest: chain.digest, inputs: [[{ record: base }]], result: { layers, createdAt: 1 } };
    };
    const make = (world: Bench, suffix: string): Vertex => {
      const v1 = world.graph.step({ name: 'v1', value: `result1${suffix}` });
      return world.graph.step({ name: 'v0', value: `result0${suffix}`, inputs: [v1] });
    };
    await using other = new Bench();
    await using job = other.job();
    await other.value(job, make(other, ''));
    const chain = job.cacheChain({ vertex: make(other, ''), index: 0 })!;
    await mergeRecords(bench.keys, [imported()], async ({ result }) => {
      if (result) bench.results.values.set('imported', 'result0');
      return result && 'imported';
    });
    expect(await bench.build(make(bench, '-no-cache'))).to.equal('result0');
    expect(await bench.build(bench.graph.step({ name: 'v2', inputs: [make(bench, '-no-cache')] }))).to.equal(
      'v2(result0)',
    );
    expect([bench.results.loads, bench.graph.ran]).to.deep.equal([2, { v2: 1 }]);
  });

  /** Records and results of what a job of its own builds. */
  async function exported(top: Vertex): Promise<{ records: number; results: number }> {
    await using job = bench.job();
    await bench.value(job, top);
    return recordsOf(job.cacheChain({ vertex: top, index: 0 }));
  }

  it('CacheExporting: the same records from a build and from the cache', async () => {
    const make = (): Vertex => sum('6', 1, [step('2', 'two', '2'), step('3', 'three', '3')]);
    expect(await exported(make())).to.deep.equal({ records: 3, results: 3 });
    expect(await exported(make())).to.deep.equal({ records: 3, results: 3 });
  });

  it('CacheExportingPartialSelector: a definition, a content and what they lead to', async () => {
    const make = (key: string): Vertex => {
      const v1 = step(`v1 ${key}`, key, 'result1');
      return step(`v0 ${key}`, 'seed0', 'result0', {
        inputs: [v1],
        selectors: { 0: 'sel0' },
        content: { 0: true },
      });
    };
    expect((await exported(make('seed1'))).records).to.equal(3);
    expect((await exported(make('seed1-net'))).records).to.equal(3);
    const wrapped = step('v2', 'seed2', 'result2', { inputs: [make('seed1-net')] });
    expect((await exported(wrapped)).records).to.be.at.least(3);
  });

  it('CacheExportingMergedKey: equal steps export one record', async () => {
    const make = (name: string, key: string): Vertex => {
      const below = step(`${name} below`, key, 'result2');
      return step(name, 'seed1', 'result1', { inputs: [below], content: { 0: true } });
    };
    const top = step('v0', 'seed0', 'result0', { inputs: [make('v1', 'seed2'), make('v1-diff', 'seed3')] });
    expect((await exported(top)).records).to.equal(5);
  });

  it('CacheMultipleMaps, CacheInputMultipleMaps: a record for each map', async () => {
    const maps = bench.graph.step({ name: 'maps', key: ['seed0', 'seed1', 'seed2'] });
    expect((await exported(maps)).records).to.equal(3);
    const input = bench.graph.step({ name: 'input', key: ['seed3', 'seed4'] });
    expect((await exported(step('v0', 'top', 'x', { inputs: [input] }))).records).to.equal(3);
  });

  it('CacheErrNotFound: a record that is taken away meanwhile does not break the chain', async () => {
    const make = (): Vertex => sum('6', 1, [step('2', 'two', '2'), step('3', 'three', '3')]);
    await using job = bench.job();
    await bench.value(job, make());
    for (const id of [...bench.results.values.keys()]) await bench.keys.forget(id);
    expect(recordsOf(job.cacheChain({ vertex: make(), index: 0 })).records).to.equal(3);
  });
});
