import { expect } from 'chai';
import type { Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';

interface Cost {
  readonly runs: number;
  readonly maps: number;
  readonly loads: number;
  readonly queries: number;
  /** Turns per vertex, rounded up. */
  readonly turns: number;
}

/** What a cold and a cached build of the same graph take. */
async function costs(make: (bench: Bench) => Vertex, vertices: number): Promise<readonly [Cost, Cost]> {
  await using bench = new Bench();
  const cost = async (): Promise<Cost> => {
    const { graph, keys, results, solver } = bench;
    const { turns } = solver.inner.scheduler;
    graph.reset();
    results.loads = 0;
    const [queriesBefore, turnsBefore] = [keys.queries, turns.taken];
    await bench.build(make(bench));
    expect(bench.left).to.deep.equal(nothingLeft);
    return {
      runs: graph.total(graph.runs),
      maps: graph.total(graph.maps),
      loads: results.loads,
      queries: keys.queries - queriesBefore,
      turns: Math.ceil((turns.taken - turnsBefore) / vertices),
    };
  };
  return [await cost(), await cost()];
}

describe('solver: costs', () => {
  it('of a chain are linear, and a cached one loads once', async () => {
    const [cold, cached] = await costs(({ graph }) => {
      let last = graph.step({ name: 's0', value: 'x' });
      for (let i = 1; i < 3000; i++) last = graph.step({ name: `s${i}`, inputs: [last], value: 'x' });
      return last;
    }, 3000);
    expect(cold).to.deep.equal({ runs: 3000, maps: 3000, loads: 0, queries: 5999, turns: 6 });
    expect(cached).to.deep.equal({ runs: 0, maps: 3000, loads: 1, queries: 5999, turns: 4 });
  }).timeout(30_000);

  it('of a step with 3,000 inputs are linear', async () => {
    const [cold, cached] = await costs(
      ({ graph }) =>
        graph.step({
          name: 'top',
          value: 'y',
          inputs: Array.from({ length: 3000 }, (_, i) => graph.step({ name: `i${i}`, value: 'x' })),
        }),
      3001,
    );
    expect(cold).to.deep.equal({ runs: 3001, maps: 3001, loads: 0, queries: 6001, turns: 5 });
    expect(cached).to.deep.equal({ runs: 0, maps: 3001, loads: 1, queries: 6001, turns: 4 });
  }).timeout(30_000);

  it('of 3,000 steps on one base are linear', async () => {
    const [cold, cached] = await costs(({ graph }) => {
      const base = graph.step({ name: 'base', value: 'z' });
      const inputs = Array.from({ length: 3000 }, (_, i) =>
        graph.step({ name: `i${i}`, inputs: [base], value: 'x' }),
      );
      return graph.step({ name: 'top', value: 'y', inputs });
    }, 3002);
    expect(cold).to.deep.include({ runs: 3002, maps: 3002, loads: 0, turns: 6 });
    expect(cached).to.deep.include({ runs: 0, maps: 3002, loads: 1, turns: 4 });
  }).timeout(30_000);

  it('of inputs that finish one by one are linear', async () => {
    const [cold] = await costs(({ graph }) => {
      const inputs = Array.from({ length: 1000 }, (_, i) =>
        graph.step({
          name: `i${i}`,
          running: () => new Promise((resolve) => setImmediate(() => resolve(`x${i}`))),
        }),
      );
      return graph.step({ name: 'top', value: 'y', inputs });
    }, 1001);
    expect(cold).to.deep.include({ runs: 1001, queries: 2001 });
    expect(cold.turns).to.be.at.most(7);
  });

  it('of a deep graph do not exhaust the stack', async () => {
    const [cold, cached] = await costs(({ graph }) => {
      let last = graph.step({ name: 's0', value: 'x' });
      for (let i = 1; i < 10_000; i++) last = graph.step({ name: `s${i}`, inputs: [last], value: 'x' });
      return last;
    }, 10_000);
    expect([cold.runs, cached.loads]).to.deep.equal([10_000, 1]);
  }).timeout(60_000);
});
