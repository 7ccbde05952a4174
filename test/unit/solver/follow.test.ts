import { expect } from 'chai';
import type { Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';

describe('solver: equal steps', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  it('without inputs run once', async () => {
    const { graph } = bench;
    const a = graph.step({ name: 'a', key: 'same', value: 'x' });
    const b = graph.step({ name: 'b', key: 'same', value: 'x' });
    expect(await bench.build(graph.step({ name: 'top', inputs: [a, b] }))).to.equal('top(x x)');
    expect(graph.ran).to.deep.equal({ a: 1, top: 1 });
  });

  it('with equal inputs run once', async () => {
    const { graph } = bench;
    const base = graph.step({ name: 'base' });
    const [a, b] = ['a', 'b'].map((name) => graph.step({ name, key: 'same', inputs: [base], value: 'x' }));
    expect(await bench.build(graph.step({ name: 'top', inputs: [a!, b!] }))).to.equal('top(x x)');
    expect(graph.ran).to.deep.equal({ base: 1, a: 1, top: 1 });
  });

  it('run once although they are equal only by the content of their inputs', async () => {
    const { graph } = bench;
    const copy = (name: string): Vertex => {
      const below = graph.step({ name: `${name} below`, value: 'same' });
      return graph.step({ name, key: 'copy', inputs: [below], content: { 0: true }, value: 'x' });
    };
    expect(await bench.build(graph.step({ name: 'top', inputs: [copy('a'), copy('b')] }))).to.equal(
      'top(x x)',
    );
    expect([...graph.runs.keys()].filter((name) => 'ab'.includes(name))).to.have.length(1);
  });

  it('run once in whole chains', async () => {
    const { graph } = bench;
    const chain = (name: string): Vertex => {
      let last = graph.step({ name: `${name}0`, key: 'k0', value: 'x' });
      for (let i = 1; i < 50; i++) {
        last = graph.step({ name: `${name}${i}`, key: `k${i}`, inputs: [last], value: 'x' });
      }
      return last;
    };
    await bench.build(graph.step({ name: 'top', inputs: [chain('a'), chain('b')] }));
    expect(graph.total(graph.runs)).to.equal(51);
  });

  it('are all found again under their own definitions', async () => {
    const { graph } = bench;
    const step = (name: string): Vertex => {
      const below = graph.step({ name: `${name} below`, value: 'same' });
      return graph.step({ name, key: 'copy', inputs: [below], content: { 0: true }, value: 'x' });
    };
    await bench.build(graph.step({ name: 'top', inputs: [step('a'), step('b')] }));
    for (const name of ['a', 'b']) {
      graph.reset();
      await bench.build(step(name));
      expect([graph.ran, graph.total(graph.digests)], name).to.deep.equal([{}, 0]);
    }
  });

  it('let the one that has begun lead, though it is younger', async () => {
    const { graph } = bench;
    const gate = new Gate();
    const keys = new Gate();
    const first = graph.step({
      name: 'first',
      key: 'same',
      value: 'x',
      mapping: ({ signal }) => keys.wait(signal),
    });
    const second = graph.step({
      name: 'second',
      key: 'same',
      running: async ({ signal }) => {
        await gate.wait(signal);
        return 'x';
      },
    });
    await using job = bench.job();
    const values = Promise.all([bench.value(job, first), bench.value(job, second)]);
    await gate.reached;
    keys.open();
    await settle();
    gate.open();
    expect(await values).to.deep.equal(['x', 'x']);
    expect(graph.ran).to.deep.equal({ second: 1 });
  });

  it('never wait for each other in a circle', async () => {
    const { graph } = bench;
    // The upper step of each pair has the key of the lower step of the other.
    const lower1 = graph.step({ name: 'lower1', key: 'a', value: 'x' });
    const upper1 = graph.step({
      name: 'upper1',
      key: 'b',
      inputs: [lower1],
      content: { 0: () => 'c' },
      value: 'x',
    });
    const lower2 = graph.step({
      name: 'lower2',
      key: 'b',
      inputs: [graph.step({ name: 'r', value: 'x' })],
      content: { 0: () => 'c' },
      value: 'x',
    });
    const upper2 = graph.step({ name: 'upper2', key: 'a2', inputs: [lower2], value: 'x' });
    const again = graph.step({
      name: 'again',
      key: 'b',
      inputs: [upper2],
      content: { 0: () => 'c' },
      value: 'x',
    });
    expect(await bench.build(graph.step({ name: 'top', inputs: [again, upper1] }))).to.equal('top(x x)');
  });

  it('share a failure', async () => {
    const { graph } = bench;
    const bad = (name: string): Vertex =>
      graph.step({
        name,
        key: 'same',
        running: () => {
          throw new Error('broken');
        },
      });
    await using job = bench.job();
    const outcomes = await Promise.allSettled([bench.value(job, bad('a')), bench.value(job, bad('b'))]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(graph.ran).to.deep.equal({ a: 1 });
  });

  it('go on when the job of the leader leaves', async () => {
    const { graph } = bench;
    const gate = new Gate();
    const step = (name: string): Vertex =>
      graph.step({
        name,
        key: 'same',
        running: async ({ signal }) => {
          await gate.wait(signal);
          return 'x';
        },
      });
    const first = bench.job();
    await using second = bench.job();
    const leaving = bench.value(first, step('a')).catch(() => 'left');
    await gate.reached;
    const staying = bench.value(second, step('b'));
    await settle();
    await first[Symbol.asyncDispose]();
    gate.open();
    expect([await leaving, await staying, gate.waits, gate.aborts]).to.deep.equal(['left', 'x', 1, 0]);
  });

  it('are not those that read different outputs of a step whose key never persists', async () => {
    const { graph } = bench;
    const both = graph.step({ name: 'both', key: 'random:1', outputs: 2, value: 'x' });
    const [first, second] = [0, 1].map((index) =>
      graph.step({ name: `reads-${index}`, key: 'read', inputs: [{ vertex: both, index }] }),
    );
    const top = graph.step({ name: 'top', inputs: [first!, second!] });
    expect(await bench.build(top)).to.equal('top(reads-0(x#0) reads-1(x#1))');
  });

  it('with several outputs run once', async () => {
    const { graph } = bench;
    const base = graph.step({ name: 'base' });
    const [a, b] = ['a', 'b'].map((name) =>
      graph.step({ name, key: 'same', inputs: [base], outputs: 2, value: 'x' }),
    );
    const top = graph.step({
      name: 'top',
      inputs: [
        { vertex: a!, index: 0 },
        { vertex: b!, index: 1 },
      ],
    });
    expect(await bench.build(top)).to.equal('top(x#0 x#1)');
    expect(graph.ran).to.deep.equal({ base: 1, a: 1, top: 1 });
  });
});

describe('solver: steps that ignore their cache', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  it('run again, with everything above them', async () => {
    const { graph } = bench;
    let round = 0;
    const top = (ignoreCache: boolean): Vertex => {
      const below = graph.step({ name: 'below', ignoreCache, running: () => `r${round}` });
      return graph.step({ name: 'top', inputs: [below] });
    };
    expect(await bench.build(top(false))).to.equal('top(r0)');
    round++;
    expect(await bench.build(top(true))).to.equal('top(r1)');
    round++;
    expect(await bench.build(top(false))).to.equal('top(r1)');
  });

  it('let what is above them match by content', async () => {
    const { graph } = bench;
    const top = (ignoreCache: boolean): Vertex => {
      const below = graph.step({ name: 'below', value: 'same', ignoreCache });
      return graph.step({ name: 'top', inputs: [below], content: { 0: true } });
    };
    await bench.build(top(false));
    graph.reset();
    await bench.build(top(true));
    expect(graph.ran).to.deep.equal({ below: 1 });
  });

  it('are joined by those that do not, never the other way', async () => {
    const { graph } = bench;
    const step = (name: string, value: string, ignoreCache: boolean, key = 'seed'): Vertex =>
      graph.step({ name, key, value, ignoreCache });
    await using job = bench.job();
    expect(await bench.value(job, step('v2', 'result2', false))).to.equal('result2');
    expect(await bench.value(job, step('v3', 'result3', true))).to.equal('result3');
    expect(await bench.value(job, step('v4', 'result4', true))).to.equal('result3');
    expect(await bench.value(job, step('v5', 'result5', false))).to.equal('result3');
  });

  it('have tasks of their own when the same vertex is live already', async () => {
    const { graph } = bench;
    await using first = bench.job();
    await using second = bench.job();
    expect(await bench.value(first, graph.step({ name: 'v', value: 'old' }))).to.equal('old');
    expect(await bench.value(second, graph.step({ name: 'v', value: 'new', ignoreCache: true }))).to.equal(
      'new',
    );
  });

  it('give a new task to a live vertex above them', async () => {
    const { graph } = bench;
    const top = (value: string, ignoreCache: boolean): Vertex =>
      graph.step({ name: 'top', inputs: [graph.step({ name: 'below', value, ignoreCache })] });
    await using first = bench.job();
    await using second = bench.job();
    expect(await bench.value(first, top('old', false))).to.equal('top(old)');
    expect(await bench.value(second, top('new', true))).to.equal('top(new)');
  });

  it('do not keep a normal step from a record it has', async () => {
    const { graph } = bench;
    const gate = new Gate();
    await bench.build(graph.step({ name: 'v0', key: 'seed', value: 'old' }));
    await using job = bench.job();
    const slow = bench.value(
      job,
      graph.step({
        name: 'v1',
        key: 'seed',
        ignoreCache: true,
        running: async () => {
          await gate.waitDeaf();
          return 'new';
        },
      }),
    );
    expect(await bench.value(job, graph.step({ name: 'v2', key: 'seed' }))).to.be.oneOf(['old', 'new']);
    gate.open();
    expect(await slow).to.equal('new');
  });
});
