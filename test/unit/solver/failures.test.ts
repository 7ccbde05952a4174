import { expect } from 'chai';
import { BuildError, canceled } from '../../../core/contracts/errors.js';
import type { Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';

const failure = (work: Promise<unknown>): Promise<BuildError> =>
  work.then(
    () => new BuildError('unknown', 'it did not fail'),
    (error: unknown) => error as BuildError,
  );

describe('solver: failures', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  const failing = (name = 'bad'): Vertex =>
    bench.graph.step({
      name,
      running: () => {
        throw new BuildError('exec.exit', 'exit code: 1');
      },
    });

  it('name the vertex they come from, once', async () => {
    const { graph } = bench;
    const bad = failing();
    const above = graph.step({ name: 'above', inputs: [graph.step({ name: 'between', inputs: [bad] })] });
    const error = await failure(bench.build(above));
    expect([error.message, error.code, error.details]).to.deep.equal([
      'exit code: 1',
      'exec.exit',
      [{ type: 'vertex', digest: bad.digest }],
    ]);
    expect(graph.ran).to.deep.equal({ bad: 1 });
  });

  it('of a cache map fail the step', async () => {
    const bad = bench.graph.step({
      name: 'bad',
      mapping: () => {
        throw new BuildError('source.not-found', 'no such image');
      },
    });
    const error = await failure(bench.build(bench.graph.step({ name: 'top', inputs: [bad] })));
    expect(error.message).to.equal('failed to load cache key: no such image');
  });

  it('of a content digest fail the step that digests', async () => {
    const { graph } = bench;
    const top = graph.step({
      name: 'top',
      inputs: [graph.step({ name: 'a' })],
      content: { 0: true },
      digesting: () => {
        throw new BuildError('content.bad', 'unreadable');
      },
    });
    const error = await failure(bench.build(top));
    expect(error.details).to.deep.equal([{ type: 'vertex', digest: top.digest }]);
  });

  it('are shared by everybody who asks', async () => {
    const bad = failing();
    await using first = bench.job();
    await using second = bench.job();
    const errors = await Promise.all([first, second].map((job) => failure(bench.value(job, bad))));
    expect(errors.map(({ message }) => message)).to.deep.equal(['exit code: 1', 'exit code: 1']);
    expect((await failure(bench.value(second, bad))).message).to.equal('exit code: 1');
    expect(bench.graph.ran).to.deep.equal({ bad: 1 });
  });

  it('are forgotten with the jobs that saw them', async () => {
    let broken = true;
    const make = (): Vertex =>
      bench.graph.step({
        name: 'a',
        running: () => {
          if (broken) throw new Error('broken');
          return 'fine';
        },
      });
    expect((await failure(bench.build(make()))).message).to.equal('broken');
    broken = false;
    expect(await bench.build(make())).to.equal('fine');
  });

  it('abort the steps that only the failed one needed', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const slow = graph.step({
      name: 'slow',
      running: async ({ signal }) => {
        await gate.wait(signal);
        return 'slow';
      },
    });
    const bad = graph.step({
      name: 'bad',
      running: async () => {
        await gate.reached;
        throw new Error('broken');
      },
    });
    await failure(bench.build(graph.step({ name: 'top', inputs: [slow, bad] })));
    expect(gate.aborts).to.equal(1);
  });

  it('do not matter when a record matches without the failed input', async () => {
    const { graph } = bench;
    const top = (name: string, mapping?: () => void): Vertex => {
      const root = graph.step({ name: 'root', digest: name, key: 'root', ...(mapping ? { mapping } : {}) });
      return graph.step({ name: 'top', digest: `top ${name}`, inputs: [root] });
    };
    await bench.build(top('good'));
    expect(await bench.build(top('other'))).to.equal('top(root())');
  });

  it('of a load lead to another record, then to a run', async () => {
    const { graph, results } = bench;
    const a = graph.step({ name: 'a' });
    await bench.build(a);
    results.failing.add('result-1');
    expect(await bench.build(a)).to.equal('a()');
    expect([graph.ran, results.loads]).to.deep.equal([{ a: 2 }, 1]);
    expect(await bench.build(a)).to.equal('a()');
    expect(graph.ran).to.deep.equal({ a: 2 });
  });

  it('of a load let other keys match first', async () => {
    const { graph, results } = bench;
    const top = (name: string): Vertex => {
      const below = graph.step({ name, value: 'same' });
      return graph.step({ name: 'top', digest: `top ${name}`, inputs: [below], content: { 0: true } });
    };
    await bench.build(top('one'));
    results.failing.add('result-2');
    graph.reset();
    expect(await bench.build(top('one'))).to.equal('top(same)');
    expect(graph.ran).to.deep.equal({ top: 1 });
  });

  it('release records whose result is gone', async () => {
    const { graph, results, keys } = bench;
    const a = graph.step({ name: 'a' });
    const b = graph.step({ name: 'b', inputs: [a] });
    await bench.build(b);
    results.values.clear();
    graph.reset();
    await bench.build(b);
    expect(graph.ran).to.deep.equal({ b: 1, a: 1 });
    expect(results.released).to.have.members(['result-1', 'result-2']);
    expect([...keys.resultIds()]).to.have.members(['result-3', 'result-4']);
  });

  it('of a job (its session) do not start the step once more for it', async () => {
    let runs = 0;
    const step = bench.graph.step({
      name: 'a',
      running: () => {
        runs++;
        throw new BuildError('session.no-agent', 'no agent');
      },
    });
    await using job = bench.job();
    expect((await failure(bench.value(job, step))).code).to.equal('session.no-agent');
    await settle();
    expect(runs).to.equal(1);
  });

  it('of one job (its session) are not those of another', async () => {
    const gate = new Gate();
    const { graph } = bench;
    let runs = 0;
    const make = (): Vertex =>
      graph.step({
        name: 'a',
        running: async ({ signal }) => {
          if (++runs > 1) return 'a';
          await gate.wait(signal);
          throw new BuildError('session.lost', 'the session is gone');
        },
      });
    await using first = bench.job();
    await using second = bench.job();
    const losing = failure(bench.value(first, make()));
    const staying = bench.value(second, make());
    await gate.reached;
    gate.open();
    expect((await losing).code).to.equal('session.lost');
    expect([await staying, runs]).to.deep.equal(['a', 2]);
  });

  it('of one job while it digests an input are not those of another', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const a = graph.step({ name: 'a' });
    let digests = 0;
    const make = (): Vertex =>
      graph.step({
        name: 'b',
        inputs: [a],
        content: { 0: true },
        digesting: async ({ signal }) => {
          if (++digests > 1) return;
          await gate.wait(signal);
          throw new BuildError('session.lost', 'the session is gone');
        },
      });
    await using first = bench.job();
    await using second = bench.job();
    const losing = failure(bench.value(first, make()));
    const staying = bench.value(second, make());
    await gate.reached;
    gate.open();
    expect((await losing).code).to.equal('session.lost');
    expect([await staying, digests]).to.deep.equal(['b(a())', 2]);
  });

  it('of a job that stopped waiting are not those of one that came later', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const asked: (readonly string[])[] = [];
    const make = (): Vertex =>
      graph.step({
        name: 'a',
        running: async ({ sessions }) => {
          if (asked.push(sessions.ids()) > 1) return 'a';
          await gate.waitDeaf();
          throw new BuildError('session.lost', 'the session is gone');
        },
      });
    await using first = bench.job();
    await using second = bench.job();
    const stop = new AbortController();
    const losing = failure(bench.value(first, make(), stop.signal));
    await gate.reached;
    const staying = bench.value(second, make());
    stop.abort();
    expect((await losing).code).to.equal('canceled');
    gate.open();
    expect([await staying, asked]).to.deep.equal(['a', [['session-1'], ['session-2']]]);
  });

  it('that say "cancelled" without an abort are not facts', async () => {
    const { graph } = bench;
    let runs = 0;
    const make = (): Vertex =>
      graph.step({
        name: 'a',
        running: () => {
          if (++runs === 1) throw canceled();
          return 'a';
        },
      });
    await using job = bench.job();
    expect((await failure(bench.value(job, make()))).code).to.equal('canceled');
    expect(await bench.value(job, make())).to.equal('a');
  });

  it('to record a result do not fail the build', async () => {
    bench.results.save = async () => {
      throw new Error('disk full');
    };
    expect(await bench.build(bench.graph.step({ name: 'a' }))).to.equal('a()');
  });

  it('of an op that makes too few results are its own', async () => {
    const a = bench.graph.step({ name: 'a', outputs: 1 });
    const lying = { ...a, outputs: 2 };
    expect((await failure(bench.build({ vertex: lying, index: 1 }))).message).to.equal(
      'a made 1 results for 2 outputs',
    );
    expect((await failure(bench.build({ vertex: a, index: 3 }))).code).to.equal('solver.no-such-output');
    await settle();
  });
});
