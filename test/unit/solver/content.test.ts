import { expect } from 'chai';
import type { Vertex } from '../../../core/solver/op.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';

describe('solver: content keys', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  /** Builds, and answers the value with what it took. */
  const took = async (
    what: Vertex,
  ): Promise<{ value: string; ran: string[]; loads: number; digests: number }> => {
    bench.graph.reset();
    bench.results.loads = 0;
    const value = await bench.build(what);
    const { graph, results } = bench;
    return { value, ran: Object.keys(graph.ran), loads: results.loads, digests: graph.total(graph.digests) };
  };

  const onTwo = (second: { name: string }, content: Record<number, true>, firstKey = 'one'): Vertex => {
    const { graph } = bench;
    const one = graph.step({ name: 'one', key: firstKey, digest: firstKey, value: 'r1' });
    const two = graph.step({ ...second, value: 'r2' });
    const digest = `top ${firstKey} ${second.name}`;
    return graph.step({
      name: 'top',
      digest,
      inputs: [one, two],
      content,
      running: () => `top on ${second.name}`,
    });
  };

  it('match a step whose input was made in another way', async () => {
    const { graph } = bench;
    const top = (name: string): Vertex => {
      const below = graph.step({ name, value: 'same' });
      return graph.step({ name: 'top', digest: `top ${name}`, inputs: [below], content: { 0: true } });
    };
    expect(await took(top('old'))).to.deep.equal({
      value: 'top(same)',
      ran: ['old', 'top'],
      loads: 0,
      digests: 1,
    });
    expect(await took(top('new'))).to.deep.equal({ value: 'top(same)', ran: ['new'], loads: 1, digests: 1 });
  });

  it('leave a link behind, so that the next build needs no content', async () => {
    const { graph } = bench;
    const top = (name: string): Vertex => {
      const below = graph.step({ name, value: 'same' });
      return graph.step({ name: 'top', digest: `top ${name}`, inputs: [below], content: { 0: true } });
    };
    await took(top('old'));
    await took(top('new'));
    expect(await took(top('new'))).to.deep.equal({ value: 'top(same)', ran: [], loads: 1, digests: 0 });
  });

  it('do not pull an input that matches by definition', async () => {
    await took(onTwo({ name: 'two' }, { 1: true }));
    const second = await took(onTwo({ name: 'changed' }, { 1: true }));
    expect(second).to.deep.equal({ value: 'top on two', ran: ['changed'], loads: 1, digests: 1 });
  });

  it('are asked first of inputs that lead nowhere', async () => {
    const content = { 0: true, 1: true } as const;
    await took(onTwo({ name: 'two' }, content));
    expect(await took(onTwo({ name: 'changed' }, content))).to.deep.include({
      ran: ['changed'],
      loads: 1,
      digests: 1,
    });
    const third = await took(onTwo({ name: 'changed2' }, content, 'one-changed'));
    expect(third).to.deep.include({ value: 'top on two', loads: 1, digests: 2 });
    expect(third.ran).to.have.members(['one', 'changed2']);
  });

  it('are not asked when definitions match', async () => {
    const { graph } = bench;
    const v2 = graph.step({ name: 'v2' });
    const v1 = graph.step({ name: 'v1', inputs: [v2], selectors: { 0: 'sel' }, content: { 0: true } });
    const v0 = graph.step({ name: 'v0', inputs: [v1] });
    await took(v0);
    expect(await took(v0)).to.deep.include({ ran: [], loads: 1, digests: 0 });
  });

  it('are not asked of an input that leads on, while another has yet to say', async () => {
    const { graph } = bench;
    const main = (v3key: string): Vertex => {
      const v3 = graph.step({ name: 'v3', key: v3key, digest: v3key, value: 'r3' });
      const v1 = graph.step({ name: 'v1', digest: `v1 ${v3key}`, inputs: [v3], content: { 0: true } });
      const v2 = graph.step({ name: 'v2' });
      const v0 = graph.step({ name: 'v0', digest: `v0 ${v3key}`, inputs: [v1, v2], content: { 1: true } });
      return graph.step({ name: 'main', digest: `main ${v3key}`, inputs: [v0] });
    };
    const value = (await took(main('seed'))).value;
    expect(await took(main('seed-new'))).to.deep.equal({ value, ran: ['v3'], loads: 1, digests: 1 });
  });

  it('differ by selector for definitions, not for contents', async () => {
    const { graph } = bench;
    const base = graph.step({ name: 'base', value: 'same' });
    const top = (selector: string): Vertex =>
      graph.step({
        name: 'top',
        digest: `top ${selector}`,
        inputs: [base],
        selectors: { 0: selector },
        content: { 0: true },
      });
    await took(top('a'));
    expect(await took(top('b'))).to.deep.include({ ran: [], loads: 2, digests: 1 });
  });

  it('differ by selector without a content digest', async () => {
    const { graph } = bench;
    const base = graph.step({ name: 'base' });
    const top = (selector: string): Vertex =>
      graph.step({ name: 'top', digest: `top ${selector}`, inputs: [base], selectors: { 0: selector } });
    await took(top('a'));
    expect(await took(top('b'))).to.deep.include({ ran: ['top'], loads: 1 });
  });

  it('stand in for an input whose own key never persists', async () => {
    const { graph } = bench;
    const top = (session: string): Vertex => {
      const local = graph.step({ name: 'local', digest: session, key: `random:${session}`, value: 'files' });
      return graph.step({ name: 'copy', digest: `copy ${session}`, inputs: [local], content: { 0: true } });
    };
    await took(top('aa'));
    expect(await took(top('bb'))).to.deep.equal({
      value: 'copy(files)',
      ran: ['local'],
      loads: 1,
      digests: 1,
    });
  });

  it('of changed content do not lead to what the same definition led to before', async () => {
    const { graph } = bench;
    const top = (content: string, ignoreCache: boolean): Vertex => {
      const update = graph.step({ name: 'update', value: content, ignoreCache });
      return graph.step({ name: 'use', digest: `use ${content}`, inputs: [update], content: { 0: true } });
    };
    await took(top('old', false));
    expect(await took(top('new', true))).to.deep.include({ value: 'use(new)', ran: ['update', 'use'] });
    const elsewhere = graph.step({ name: 'elsewhere', value: 'old' });
    const use = graph.step({ name: 'use', digest: 'use 3', inputs: [elsewhere], content: { 0: true } });
    expect((await took(use)).value).to.equal('use(old)');
  });

  it('are asked of an input that led to a record which is gone', async () => {
    const { graph, results } = bench;
    const gate = new Gate();
    const read = (early: string, mapping: () => Promise<void> | void): Vertex => {
      const inputs = [graph.step({ name: early }), graph.step({ name: 'late', mapping })];
      return graph.step({ name: `reads-${early}`, key: 'read', inputs, content: { 0: true } });
    };
    const now = (): void => undefined;
    await bench.build(graph.step({ name: 'above', inputs: [read('early', now)] }));
    await bench.build(read('other', now));
    // Its key stays, since it leads to `above`; its result does not.
    for (const [id, value] of results.values) if (value?.startsWith('reads-early')) results.values.delete(id);
    graph.reset();
    const building = bench.build(read('early', () => gate.waitDeaf()));
    await gate.reached;
    await settle();
    gate.open();
    expect(await building).to.equal('reads-early(early() late())');
    expect(graph.ran).to.deep.equal({ 'reads-early': 1 });
  });

  it('take a second cache map of a step without inputs', async () => {
    const { graph } = bench;
    const pull = (tag: string): Vertex =>
      graph.step({ name: 'pull', digest: tag, key: [tag, 'layers'], value: 'image' });
    await took(pull('v1'));
    expect(await took(pull('v1'))).to.deep.include({ ran: [], loads: 1 });
    expect(graph.maps.get('pull')).to.equal(1);
    expect(await took(pull('v2'))).to.deep.include({ ran: [], loads: 1 });
    expect(graph.maps.get('pull')).to.equal(2);
    await took(pull('v2'));
    expect(graph.maps.get('pull')).to.equal(1);
  });

  it('let a dependant match by the second cache map of its input', async () => {
    const { graph } = bench;
    const run = (tag: string): Vertex => {
      const pull = graph.step({ name: 'pull', digest: tag, key: [tag, 'layers'], value: 'image' });
      return graph.step({ name: 'run', digest: `run ${tag}`, inputs: [pull] });
    };
    await took(run('v1'));
    expect(await took(run('v2'))).to.deep.include({ value: 'run(image)', ran: [], loads: 1 });
  });

  it('do not stop a step that their asker needs the result of a moment later', async () => {
    const { graph } = bench;
    const [doc, moreKeys] = [new Gate(), new Gate()];
    let maps = 0;
    const base = graph.step({
      name: 'base',
      key: ['first key', 'second key'],
      mapping: ({ signal }) => (maps++ === 0 ? undefined : moreKeys.wait(signal)),
    });
    const below = graph.step({ name: 'doc', running: ({ signal }) => doc.wait(signal).then(() => 'doc') });
    const copy = graph.step({ name: 'copy', inputs: [base, below], content: { 1: true } });
    const building = bench.build(graph.step({ name: 'top', inputs: [copy] }));
    await doc.reached;
    await settle();
    moreKeys.open();
    await settle();
    doc.open();
    await building;
    expect([graph.ran.doc, doc.aborts]).to.deep.equal([1, 0]);
  });
});
