import { expect } from 'chai';
import type { Job } from '../../../core/solver/job.js';
import type { KeyChain } from '../../../core/solver/key-chain.js';
import { contentKey, rootKey } from '../../../core/solver/keys/key-id.js';
import type { Vertex } from '../../../core/solver/op.js';
import { sha256 } from '../../../core/util/digest.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate } from './support/gate.js';

describe('solver: explanations', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  /** `name: outcome, because` of every vertex. */
  const said = (job: Job): string[] =>
    job.explain().map(({ name, outcome, because }) => `${name}: ${outcome}, ${because}`);
  const afterBuilding = async (what: Vertex): Promise<string[]> => {
    await using job = bench.job();
    await bench.value(job, what).catch(() => undefined);
    return said(job);
  };

  it('say why a step ran', async () => {
    const { graph } = bench;
    const top = (key: string): Vertex => {
      const a = graph.step({ name: 'a', key, digest: key });
      const b = graph.step({ name: 'b' });
      return graph.step({ name: 'top', digest: `top ${key}`, inputs: [a, b] });
    };
    await bench.build(top('one'));
    const lines = await afterBuilding(top('two'));
    expect(lines.map((line) => line.replace(/1970-\S+/, 'TIME'))).to.deep.equal([
      `a: ran, nothing is recorded for ${sha256('key two')}`,
      'b: cached, a record of TIME has the same key',
      'top: ran, input 0 (a) was never seen with this step',
    ]);
  });

  it('say what was not needed', async () => {
    const { graph } = bench;
    const top = graph.step({ name: 'top', inputs: [graph.step({ name: 'a' })] });
    await bench.build(top);
    const [below, above] = await afterBuilding(top);
    expect(below).to.equal('a: cached, every step that reads it was found in the cache');
    expect(above).to.match(/^top: cached, a record of/);
  });

  it('say what failed', async () => {
    const { graph } = bench;
    const bad = graph.step({
      name: 'bad',
      running: () => {
        throw new Error('broken');
      },
    });
    expect(await afterBuilding(graph.step({ name: 'top', inputs: [bad] }))).to.deep.equal([
      'bad: failed, broken',
      'top: failed, input 0 (bad) failed',
    ]);
  });

  it('say what runs and what waits', async () => {
    const gate = new Gate();
    const { graph } = bench;
    const slow = graph.step({
      name: 'slow',
      running: async ({ signal }) => {
        await gate.wait(signal);
        return 'x';
      },
    });
    const job = bench.job();
    const building = bench.value(job, graph.step({ name: 'top', inputs: [slow] })).catch(() => undefined);
    await gate.reached;
    expect(said(job)).to.deep.equal([
      'slow: running, no record matches and every input is there (exec)',
      'top: waiting, no record can match: it needs its inputs',
    ]);
    expect(bench.solver.dump().split('\n')).to.have.length(3);
    await job[Symbol.asyncDispose]();
    await building;
  });

  it('name the parts of a key', async () => {
    const { graph } = bench;
    const a = graph.step({ name: 'a', value: 'v' });
    const top = graph.step({ name: 'top', inputs: [a], selectors: { 0: 'sel' }, content: { 0: true } });
    await using job = bench.job();
    await bench.value(job, top);
    expect(job.explain().at(-1)!.key).to.deep.equal({
      step: [sha256('key top')],
      inputs: [
        {
          vertex: a.digest,
          output: 0,
          selector: sha256('sel'),
          content: sha256('content v'),
          keys: [rootKey(sha256('key a'), 0)],
        },
      ],
    });
  });
});

describe('solver: key chains', () => {
  /** `digest prefix [inputs] result`, nested. */
  const shape = (chain: KeyChain | undefined): unknown =>
    chain && {
      digest: chain.digest,
      inputs: chain.inputs.map((links) => links.map(({ selector, node }) => [selector, shape(node)])),
      result: chain.result ? (chain.result.held ? 'held' : 'recorded') : 'none',
    };

  it('lead from the result to the roots, by definition and by content', async () => {
    await using bench = new Bench();
    const { graph } = bench;
    const a = graph.step({ name: 'a', value: 'v' });
    const top = graph.step({ name: 'top', inputs: [a], selectors: { 0: 'sel' }, content: { 0: true } });
    await using job = bench.job();
    await bench.value(job, top);
    expect(shape(job.cacheChain({ vertex: top, index: 0 }))).to.deep.equal({
      digest: rootKey(sha256('key top'), 0),
      inputs: [
        [
          [sha256('sel'), { digest: rootKey(sha256('key a'), 0), inputs: [], result: 'held' }],
          [undefined, { digest: contentKey(sha256('content v')), inputs: [], result: 'none' }],
        ],
      ],
      result: 'held',
    });
  });

  it('name results that were found but not loaded', async () => {
    await using bench = new Bench();
    const { graph } = bench;
    const a = graph.step({ name: 'a' });
    const b = graph.step({ name: 'b', inputs: [a] });
    const top = graph.step({ name: 'top', inputs: [b] });
    await bench.build(top);
    await using job = bench.job();
    await bench.value(job, top);
    const chain = job.cacheChain({ vertex: top, index: 0 })!;
    const below = chain.inputs[0]![0]!.node;
    expect([below.result?.held, below.result?.recordId]).to.deep.equal([undefined, 'result-2']);
  });

  it('leave out keys that mean nothing elsewhere', async () => {
    await using bench = new Bench();
    const { graph } = bench;
    const local = graph.step({ name: 'local', key: 'random:ab', value: 'files' });
    const copy = graph.step({ name: 'copy', inputs: [local], content: { 0: true } });
    await using job = bench.job();
    await bench.value(job, copy);
    const links = job.cacheChain({ vertex: copy, index: 0 })!.inputs[0]!;
    expect(links.map(({ node }) => node.digest)).to.deep.equal([contentKey(sha256('content files'))]);
    expect(job.cacheChain({ vertex: local, index: 0 })).to.equal(undefined);
  });

  it('lead to all that a build has done when it fails, each step once, and change nothing', async () => {
    await using bench = new Bench();
    const { graph } = bench;
    const a = graph.step({ name: 'a' });
    const left = graph.step({ name: 'left', inputs: [a], outputs: 2 });
    const right = graph.step({ name: 'right', inputs: [a] });
    const both = [{ vertex: left, index: 0 }, { vertex: left, index: 1 }, right];
    const bad = graph.step({
      name: 'bad',
      inputs: both,
      running: () => {
        throw new Error('it fails');
      },
    });
    const top = graph.step({ name: 'top', inputs: [bad, graph.step({ name: 'other', inputs: [right] })] });
    await using job = bench.job();
    const error = await bench.value(job, top).catch((reason: Error) => reason.message);
    const before = bench.solver.dump();
    const chains = job.cacheChains();
    expect(error).to.equal('it fails');
    expect(bench.solver.dump()).to.equal(before);
    expect(chains.map(({ digest }) => digest)).to.have.members([
      rootKey(sha256('key a'), 0),
      rootKey(sha256('key left'), 0),
      rootKey(sha256('key left'), 1),
      rootKey(sha256('key right'), 0),
      ...(graph.ran.other ? [rootKey(sha256('key other'), 0)] : []),
    ]);
    const below = chains.flatMap(({ inputs }) => inputs.flat().map(({ node }) => node));
    expect(below.every((node) => chains.includes(node))).to.equal(true);
  });

  it('lead to what has completed of a build that still runs, sub-builds and all', async () => {
    await using bench = new Bench();
    const { graph } = bench;
    const inner = graph.step({ name: 'inner' });
    let told: readonly (string | undefined)[] = [];
    await using job = bench.job();
    const outer = graph.step({
      name: 'outer',
      inputs: [graph.step({ name: 'a' })],
      running: async (context) => {
        const result = await context.build({ vertex: inner, index: 0 });
        await result?.[Symbol.asyncDispose]();
        told = job.cacheChains().map(({ vertex }) => vertex);
        return 'v';
      },
    });
    await bench.value(job, graph.step({ name: 'top', inputs: [outer] }));
    expect(told).to.have.members([sha256('vertex a'), inner.digest]);
    // The sub-build's step went with the step that built it.
    const kept = job.cacheChains().map(({ vertex }) => vertex);
    expect(kept).to.have.members(['a', 'outer', 'top'].map((name) => sha256(`vertex ${name}`)));
  });

  it('share nodes, whatever the depth', async () => {
    await using bench = new Bench();
    const { graph } = bench;
    let last = graph.step({ name: 's0', value: 'x' });
    for (let i = 1; i < 2000; i++) last = graph.step({ name: `s${i}`, inputs: [last, last], value: 'x' });
    await using job = bench.job();
    await bench.value(job, last);
    let depth = 0;
    for (let node = job.cacheChain({ vertex: last, index: 0 }); node; node = node.inputs[1]?.[0]?.node) {
      expect(node.inputs[0]?.[0]?.node).to.equal(node.inputs[1]?.[0]?.node);
      depth++;
    }
    expect(depth).to.equal(2000);
  });
});
