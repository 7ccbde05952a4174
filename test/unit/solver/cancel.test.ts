import { expect } from 'chai';
import { isCanceled } from '../../../core/contracts/errors.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('solver: cancellation', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  it('aborts a step when the last who asked leaves', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const a = graph.step({
      name: 'a',
      running: async ({ signal }) => {
        await gate.wait(signal);
        return 'a';
      },
    });
    await using job = bench.job();
    const stop = new AbortController();
    const building = failure(bench.value(job, graph.step({ name: 'b', inputs: [a] }), stop.signal));
    await gate.reached;
    stop.abort();
    expect(isCanceled(await building)).to.equal(true);
    await settle();
    expect([gate.waits, gate.aborts]).to.deep.equal([1, 1]);
  });

  it('aborts the reading of a cache map', async () => {
    const gate = new Gate();
    const a = bench.graph.step({ name: 'a', mapping: ({ signal }) => gate.wait(signal) });
    await using job = bench.job();
    const stop = new AbortController();
    const building = failure(bench.value(job, a, stop.signal));
    await gate.reached;
    stop.abort();
    expect(isCanceled(await building)).to.equal(true);
    await settle();
    expect([gate.aborts, bench.graph.ran]).to.deep.equal([1, {}]);
  });

  it('leaves others alone', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const make = () =>
      graph.step({
        name: 'a',
        running: async ({ signal }) => {
          await gate.wait(signal);
          return 'a';
        },
      });
    await using first = bench.job();
    await using second = bench.job();
    const stop = new AbortController();
    const leaving = failure(bench.value(first, make(), stop.signal));
    const staying = bench.value(second, make());
    await gate.reached;
    stop.abort();
    await leaving;
    await settle();
    gate.open();
    expect(await staying).to.equal('a');
    expect([gate.waits, gate.aborts]).to.deep.equal([1, 0]);
  });

  it('waits for an abort before it starts a step again', async () => {
    const gate = new Gate();
    let inside = 0;
    let most = 0;
    const { graph } = bench;
    const make = () =>
      graph.step({
        name: 'a',
        running: async ({ signal }) => {
          most = Math.max(most, ++inside);
          await gate.waitDeaf();
          inside--;
          signal.throwIfAborted();
          return 'a';
        },
      });
    await using first = bench.job();
    await using second = bench.job();
    const stop = new AbortController();
    const leaving = failure(bench.value(first, make(), stop.signal));
    await gate.reached;
    stop.abort();
    await leaving;
    await settle();
    const again = bench.value(second, make());
    await settle();
    gate.open();
    expect(await again).to.equal('a');
    expect([graph.ran, most]).to.deep.equal([{ a: 2 }, 1]);
  });

  it('takes the value of an aborted step that finished all the same', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const make = () =>
      graph.step({
        name: 'a',
        running: async () => {
          await gate.waitDeaf();
          return 'a';
        },
      });
    await using first = bench.job();
    await using second = bench.job();
    const stop = new AbortController();
    const leaving = failure(bench.value(first, make(), stop.signal));
    await gate.reached;
    stop.abort();
    await leaving;
    await settle();
    const again = bench.value(second, make());
    await settle();
    gate.open();
    expect(await again).to.equal('a');
    expect(graph.ran).to.deep.equal({ a: 1 });
  });

  it('stops asking inputs as soon as a record matches', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const top = (slow: boolean) => {
      const root = graph.step({ name: 'root', value: 'r' });
      const other = graph.step({
        name: 'other',
        digest: `other ${slow}`,
        key: ['other', 'other 2'],
        ...(slow ? { mapping: () => undefined } : {}),
      });
      return graph.step({ name: 'top', digest: `top ${slow}`, inputs: [root, other] });
    };
    await bench.build(top(false));
    graph.reset();
    await bench.build(top(true));
    expect([graph.ran, graph.maps.get('other'), gate.waits]).to.deep.equal([{}, 1, 0]);
  });

  it('of a job ends its builds and waits until its steps have stopped', async () => {
    const gate = new Gate();
    let stopped = false;
    const a = bench.graph.step({
      name: 'a',
      running: async ({ signal }) => {
        try {
          await gate.wait(signal);
        } finally {
          await settle();
          stopped = true;
        }
        return 'a';
      },
    });
    const job = bench.job();
    const building = failure(bench.value(job, a));
    await gate.reached;
    await job[Symbol.asyncDispose]();
    expect(stopped).to.equal(true);
    expect(isCanceled(await building)).to.equal(true);
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  it('refuses to build for a job that is over', async () => {
    const job = bench.job();
    await job[Symbol.asyncDispose]();
    const error = await failure(bench.value(job, bench.graph.step({ name: 'a' })));
    expect(error).to.have.property('code', 'solver.job-closed');
  });

  it('lets a job id be used again only when the job is over', async () => {
    const { solver } = bench;
    const job = solver.openJob('x', { sessionId: 's' });
    expect(() => solver.openJob('x', { sessionId: 's' })).to.throw('x is running already');
    await job[Symbol.asyncDispose]();
    expect(solver.job('x')).to.equal(undefined);
    await solver.openJob('x', { sessionId: 's' })[Symbol.asyncDispose]();
  });
});
