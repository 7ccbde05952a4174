import { expect } from 'chai';
import type { BuildError } from '../../../core/contracts/errors.js';
import type { Edge, OpContext, Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';
import { textOf } from './support/tracker.js';

const edge = (vertex: Vertex): Edge => ({ vertex, index: 0 });

/** A step's work: solve `vertex` and answer its value. */
const solving =
  (vertex: () => Vertex) =>
  async (context: OpContext): Promise<string> => {
    const result = await context.build(edge(vertex()));
    const value = `built ${textOf(result)}`;
    await result?.[Symbol.asyncDispose]();
    return value;
  };

describe('solver: builds within a step', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  it('solve further graphs', async () => {
    const { graph } = bench;
    const inner = graph.step({ name: 'inner', inputs: [graph.step({ name: 'below' })] });
    expect(await bench.build(graph.step({ name: 'outer', running: solving(() => inner) }))).to.equal(
      'built inner(below())',
    );
  });

  it('are not repeated when the step is found in the cache', async () => {
    const { graph } = bench;
    const outer = graph.step({ name: 'outer', running: solving(() => graph.step({ name: 'inner' })) });
    await bench.build(outer);
    graph.reset();
    await bench.build(outer);
    expect([graph.ran, graph.maps.get('inner')]).to.deep.equal([{}, undefined]);
  });

  it('share live tasks with the graph around', async () => {
    const { graph } = bench;
    const shared = graph.step({ name: 'shared' });
    const outer = graph.step({ name: 'outer', running: solving(() => shared) });
    await bench.build(graph.step({ name: 'top', inputs: [shared, outer] }));
    expect(graph.ran).to.deep.equal({ shared: 1, outer: 1, top: 1 });
  });

  it('name the path when a step would wait for itself', async () => {
    const { graph } = bench;
    const outer: Vertex = graph.step({
      name: 'outer',
      running: solving(() =>
        graph.step({ name: 'inner', inputs: [graph.step({ name: 'between', inputs: [outer] })] }),
      ),
    });
    const error = (await bench.build(outer).catch((failure: unknown) => failure)) as BuildError;
    expect([error.code, error.message]).to.deep.equal([
      'solver.cycle',
      'a step would wait for itself: outer -> inner -> between -> outer',
    ]);
  });

  it('notice a circle through another build', async () => {
    const { graph } = bench;
    const started = [new Gate(), new Gate()];
    const steps: Vertex[] = [0, 1].map((i) =>
      graph.step({
        name: `outer${i}`,
        running: async (context) => {
          void started[i]!.waitDeaf();
          await started[1 - i]!.reached;
          return await solving(() => steps[1 - i]!)(context);
        },
      }),
    );
    await using job = bench.job();
    const outcomes = await Promise.allSettled(steps.map((step) => bench.value(job, step)));
    expect(outcomes.filter(({ status }) => status === 'rejected')).to.have.length(2);
  });

  it('stop with the step', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const inner = graph.step({
      name: 'inner',
      running: async ({ signal }) => {
        await gate.wait(signal);
        return 'x';
      },
    });
    const job = bench.job();
    const building = bench
      .value(job, graph.step({ name: 'outer', running: solving(() => inner) }))
      .catch(() => 'stopped');
    await gate.reached;
    await job[Symbol.asyncDispose]();
    expect([await building, gate.aborts]).to.deep.equal(['stopped', 1]);
  });

  it('leave their slot to what they wait for', async () => {
    await using one = new Bench({ maxParallelism: 1 });
    const inner = one.graph.step({ name: 'inner', heavy: true });
    const outer = one.graph.step({ name: 'outer', heavy: true, running: solving(() => inner) });
    expect(await one.build(outer)).to.equal('built inner()');
  });
});

describe('solver: heavy steps', () => {
  it('run at most so many at once, those on the longest path first', async () => {
    await using bench = new Bench({ maxParallelism: 2 });
    const { graph } = bench;
    const gate = new Gate();
    let running = 0;
    let most = 0;
    const order: string[] = [];
    const heavy = (name: string, inputs: Vertex[] = []): Vertex =>
      graph.step({
        name,
        inputs,
        heavy: true,
        running: async () => {
          order.push(name);
          most = Math.max(most, ++running);
          await gate.waitDeaf();
          await settle();
          running--;
          return name;
        },
      });
    const long = heavy('long3', [heavy('long2', [heavy('long1')])]);
    const top = graph.step({ name: 'top', inputs: [heavy('a'), heavy('b'), heavy('c'), heavy('d'), long] });
    const building = bench.build(top);
    await settle();
    gate.open();
    await building;
    expect(most).to.equal(2);
    expect(order.slice(2).indexOf('long1')).to.equal(0);
  });
});
