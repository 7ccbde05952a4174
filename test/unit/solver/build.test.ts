import { expect } from 'chai';
import type { Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';

describe('solver', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  it('runs a step and answers its result', async () => {
    const { graph } = bench;
    expect(await bench.build(graph.step({ name: 'a' }))).to.equal('a()');
  });

  it('runs each step of a diamond once', async () => {
    const { graph } = bench;
    const a = graph.step({ name: 'a' });
    const b = graph.step({ name: 'b', inputs: [a] });
    const c = graph.step({ name: 'c', inputs: [a] });
    expect(await bench.build(graph.step({ name: 'd', inputs: [b, c] }))).to.equal('d(b(a()) c(a()))');
    expect(graph.ran).to.deep.equal({ a: 1, b: 1, c: 1, d: 1 });
  });

  it('loads only the final match of a graph that was built before', async () => {
    const { graph } = bench;
    const top = (): Vertex => {
      const a = graph.step({ name: 'a' });
      return graph.step({ name: 'b', inputs: [a, graph.step({ name: 'c', inputs: [a] })] });
    };
    const value = await bench.build(top());
    graph.reset();
    expect(await bench.build(top())).to.equal(value);
    expect([graph.ran, graph.total(graph.maps), bench.results.loads]).to.deep.equal([{}, 3, 1]);
  });

  it('solves equal steps of several jobs once', async () => {
    const { graph } = bench;
    const values = await Promise.all([1, 2, 3].map(() => bench.build(graph.step({ name: 'a' }))));
    expect(values).to.deep.equal(['a()', 'a()', 'a()']);
    expect(graph.ran).to.deep.equal({ a: 1 });
  });
});
