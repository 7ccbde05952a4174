/** BuildKit's scheduler tests about what is found in the cache, with their counts (docs/dev/scheduler-parity.md). */
import { expect } from 'chai';
import type { Vertex } from '../../../core/solver/op.js';
import { Random } from '../../simulation/random.js';
import { Bench, nothingLeft } from './support/bench.js';
import type { StepOptions } from './support/graph.js';
import { textOf } from './support/tracker.js';

describe('solver: BuildKit, cache', () => {
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

  /** Builds in a job of its own: the value, and how many cache maps, runs and loads it took. */
  async function build(
    top: Vertex,
  ): Promise<readonly [string, { maps: number; runs: number; loads: number }]> {
    const { graph, results } = bench;
    graph.reset();
    const before = results.loads;
    const value = await bench.build(top);
    const counts = {
      maps: graph.total(graph.maps),
      runs: graph.total(graph.runs),
      loads: results.loads - before,
    };
    return [value, counts];
  }

  /** `own` plus the sum of what it reads. */
  const sum = (name: string, own: number, inputs: readonly Vertex[] = []): Vertex =>
    bench.graph.step({
      name,
      inputs,
      running: (_, read) => `${read.reduce((total, input) => total + Number(textOf(input)), own)}`,
    });

  it('SingleLevelCache: by key, whatever the vertex', async () => {
    expect(await build(step('v0', 'seed0', 'result0'))).to.deep.equal([
      'result0',
      { maps: 1, runs: 1, loads: 0 },
    ]);
    expect(await build(step('v1', 'seed1', 'result1'))).to.deep.equal([
      'result1',
      { maps: 1, runs: 1, loads: 0 },
    ]);
    expect(await build(step('v2', 'seed0', 'result2'))).to.deep.equal([
      'result0',
      { maps: 1, runs: 0, loads: 1 },
    ]);
  });

  it('MultiLevelCalculation: steps that are read several times', async () => {
    const make = (): Vertex => {
      const [seven, two, nineteen] = [sum('7', 7), sum('2', 2), sum('19', 19)];
      const nine = sum('9', 0, [seven, two]);
      return sum('top', 1, [nine, nine, two, two, nineteen]);
    };
    expect((await build(make()))[0]).to.equal('42');
    expect(await build(make())).to.deep.equal(['42', { maps: 5, runs: 0, loads: 1 }]);
  });

  it('HugeGraph: one load for a thousand vertices', async () => {
    const random = new Random(1);
    let vertices = 0;
    const make = (nodes: number): Vertex => {
      vertices++;
      const inputs: Vertex[] = [];
      const share = Math.ceil(nodes / (2 + random.int(5)));
      for (let left = nodes - 1; left > 0; left -= share) inputs.push(make(Math.min(share, left)));
      return sum(`node ${vertices} of ${nodes} ${random.next()}`, random.int(500), inputs);
    };
    const top = make(1000);
    const [value, cold] = await build(top);
    expect(cold).to.deep.equal({ maps: vertices, runs: vertices, loads: 0 });
    expect(await build(top)).to.deep.equal([value, { maps: vertices, runs: 0, loads: 1 }]);
  }).timeout(30_000);

  it('OptimizedCacheAccess: an input that matches by definition is not pulled', async () => {
    const make = (second: string): Vertex => {
      const inputs = [step('v1', 'seed1', 'result1'), step(second, `key ${second}`, 'result2')];
      return step('v0', 'seed0', 'result0', { inputs, content: { 1: true } });
    };
    expect((await build(make('v2')))[1]).to.deep.equal({ maps: 3, runs: 3, loads: 0 });
    expect((await build(make('v2-changed')))[1]).to.deep.equal({ maps: 3, runs: 1, loads: 1 });
  });

  it('OptimizedCacheAccess2: an input that leads nowhere is digested first', async () => {
    const make = (first: string, second: string): Vertex => {
      const inputs = [step('v1', first, 'result1'), step('v2', second, 'result2')];
      return step('v0', 'seed0', 'result0', { inputs, content: { 0: true, 1: true } });
    };
    expect((await build(make('seed1', 'seed2')))[1]).to.deep.equal({ maps: 3, runs: 3, loads: 0 });
    expect((await build(make('seed1', 'changed')))[1]).to.deep.equal({ maps: 3, runs: 1, loads: 1 });
    expect((await build(make('changed', 'changed too')))[1]).to.deep.equal({ maps: 3, runs: 2, loads: 1 });
  });

  it('SlowCache: by the content of an input', async () => {
    const make = (name: string, input: string): Vertex =>
      step(name, 'seed0', name, { inputs: [step(input, `key ${input}`, 'result1')], content: { 0: true } });
    expect((await build(make('v0', 'v1')))[0]).to.equal('v0');
    expect((await build(make('v2', 'v3')))[0]).to.equal('v0');
  });

  it('RepeatBuildWithIgnoreCache: what ignores its cache runs again, and what reads it', async () => {
    const make = (value: string, top: boolean, input: boolean): Vertex => {
      const v1 = step('v1', 'seed1', `${value}-1`, { ignoreCache: input });
      return step('v0', 'seed0', value, { inputs: [v1], ignoreCache: top });
    };
    const all = { maps: 2, runs: 2, loads: 0 };
    expect(await build(make('result', false, false))).to.deep.equal(['result', all]);
    expect(await build(make('result-1', true, true))).to.deep.equal(['result-1', all]);
    expect(await build(make('result-2', false, true))).to.deep.equal(['result-2', all]);
  });

  it('IgnoreCacheResumeFromSlowCache: what reads it matches again by content', async () => {
    const make = (suffix: string, ignoreCache: boolean): Vertex => {
      const v1 = step(`v1${suffix}`, `seed1${suffix}`, 'result1', { ignoreCache });
      return step(`v0${suffix}`, 'seed0', `result0${suffix}`, { inputs: [v1], content: { 0: true } });
    };
    expect((await build(make('', false)))[1]).to.deep.equal({ maps: 2, runs: 2, loads: 0 });
    expect(await build(make('-1', true))).to.deep.equal(['result0', { maps: 2, runs: 1, loads: 1 }]);
  });

  it('CacheWithSelector: another part of an input is another step', async () => {
    const make = (value: string, selector: string): Vertex =>
      step('v0', 'seed0', value, { inputs: [step('v1', 'seed1', 'result1')], selectors: { 0: selector } });
    expect(await build(make('a', 'sel0'))).to.deep.equal(['a', { maps: 2, runs: 2, loads: 0 }]);
    expect(await build(make('b', 'sel0'))).to.deep.equal(['a', { maps: 2, runs: 0, loads: 1 }]);
    expect(await build(make('c', 'sel1'))).to.deep.equal(['c', { maps: 2, runs: 1, loads: 1 }]);
  });

  it('CacheSlowWithSelector: unless its content is the same', async () => {
    const make = (selector: string): Vertex => {
      const inputs = [step('v1', 'seed1', 'result1')];
      return step('v0', 'seed0', 'result0', { inputs, selectors: { 0: selector }, content: { 0: true } });
    };
    expect((await build(make('sel0')))[1]).to.deep.equal({ maps: 2, runs: 2, loads: 0 });
    expect((await build(make('sel1')))[1]).to.deep.equal({ maps: 2, runs: 0, loads: 2 });
  });

  it('SlowCacheAvoidAccess: no content is needed where definitions lead on', async () => {
    const make = (): Vertex => {
      const v2 = step('v2', 'seed2', 'result2');
      const v1 = step('v1', 'seed1', 'result1', {
        inputs: [v2],
        selectors: { 0: 'sel0' },
        content: { 0: true },
      });
      const late = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      return step('v0', 'seed0', 'result0', { inputs: [v1], mapping: late });
    };
    await build(make());
    expect((await build(make()))[1]).to.deep.equal({ maps: 3, runs: 0, loads: 1 });
  });

  it('SlowCacheAvoidLoadOnCache: nor while another input has yet to say', async () => {
    const make = (seed: string): Vertex => {
      const v3 = step('v3', seed, 'result3');
      const v1 = step('v1', 'seed1', 'result1', { inputs: [v3], content: { 0: true } });
      const v2 = step('v2', 'seed2', 'result2');
      const v0 = step('v0', 'seed0', 'result0', { inputs: [v1, v2], content: { 1: true } });
      return step('vmain', 'seedmain', 'resultmain', { inputs: [v0] });
    };
    await build(make('seed3'));
    expect((await build(make('seed3-new')))[1]).to.deep.equal({ maps: 5, runs: 1, loads: 1 });
  });

  it('CacheMultipleMaps: further maps are read only if the first ones lead nowhere', async () => {
    const make = (name: string, keys: readonly string[]): Vertex =>
      bench.graph.step({ name, key: keys, value: name });
    expect((await build(make('v0', ['seed0', 'seed1', 'seed2'])))[1]).to.deep.equal({
      maps: 3,
      runs: 1,
      loads: 0,
    });
    expect(await build(make('v1', ['seed1', 'seed3']))).to.deep.equal(['v0', { maps: 1, runs: 0, loads: 1 }]);
    expect(await build(make('v2', ['seed3', 'seed2']))).to.deep.equal(['v0', { maps: 2, runs: 0, loads: 1 }]);
  });

  it('CacheInputMultipleMaps: any of them leads on', async () => {
    const make = (first: string): Vertex => {
      const v1 = bench.graph.step({ name: 'v1', key: [first, 'seed2'], value: 'result1' });
      return step('v0', 'seed0', first, { inputs: [v1] });
    };
    await build(make('seed1'));
    expect((await build(make('seed1.changed')))[0]).to.equal('seed1');
  });

  /** 11, by way of two vertices that read the same. */
  const eleven = (): Vertex => {
    const two = sum('2', 2);
    const four = sum('4', 2, [two]);
    return sum('11', 3, [sum('0+4+0', 0, [four, sum('0', 0)]), four]);
  };

  it('CacheLoadError: what cannot be loaded is run', async () => {
    expect(await build(eleven())).to.deep.equal(['11', { maps: 5, runs: 5, loads: 0 }]);
    expect(await build(eleven())).to.deep.equal(['11', { maps: 5, runs: 0, loads: 1 }]);
    for (const id of bench.results.values.keys()) bench.results.failing.add(id);
    expect(await build(eleven())).to.deep.equal(['11', { maps: 5, runs: 5, loads: 5 }]);
  });

  it('InputRequestDeadlock: inputs that lead to different records', async () => {
    const make = (seeds: readonly string[], content: StepOptions['content']): Vertex => {
      const inputs = [step('v1', seeds[1]!, 'result1'), step('v2', seeds[2]!, 'result2')];
      return step('v0', seeds[0]!, 'result0', { inputs, ...(content ? { content } : {}) });
    };
    await build(make(['seed0', 'seed1', 'seed2'], undefined));
    await build(make(['seed0-1', 'seed1-1', 'seed2-1'], undefined));
    expect((await build(make(['seed0-1', 'seed1', 'seed2-1'], { 1: true })))[0]).to.equal('result0');
  });
});
