import { expect } from 'chai';
import { loadLlb } from '../../../core/llb/load.js';
import type { Result, Vertex } from '../../../core/solver/op.js';
import { sha256 } from '../../../core/util/digest.js';
import type { Init, pb } from '../../../proto/index.js';
import { opBytes } from './ops.js';
import { fakeServices, opContext } from './services.js';

describe('ops that combine trees', () => {
  const services = fakeServices();
  const { worker } = services;
  const sources = ['/a', '/b', '/c'].map((path) =>
    opBytes({ file: { actions: [{ input: -1, secondaryInput: -1, mkdir: { path } }] } }),
  );
  const inputs = sources.map((bytes) => ({ digest: sha256(bytes) }));

  const vertexOf = (op: Init<pb.Op>): Vertex => {
    const bytes = opBytes({ inputs, ...op });
    const def = [...sources, bytes, opBytes({ inputs: [{ digest: sha256(bytes) }] })];
    const edge = loadLlb({ def, metadata: new Map() }, services, { entitlements: new Set() });
    if (!edge) throw new Error('nothing was loaded');
    return edge.vertex;
  };
  const contents: readonly Readonly<Record<string, string>>[] = [
    { a: '1', same: 'a' },
    { b: '2', same: 'b' },
    { c: '3' },
  ];
  const trees = contents.map((files) => worker.refs.make(files));
  const run = (
    op: Init<pb.Op>,
    given: readonly (Result | undefined)[] = trees,
  ): Promise<readonly (Result | undefined)[]> => vertexOf(op).op.exec(given, opContext());
  const told = (result: Result | undefined): Readonly<Record<string, string>> =>
    Object.fromEntries(worker.refs.tree(result as never));

  const merge = (...of: readonly number[]): Init<pb.Op> => ({
    merge: { inputs: of.map((input) => ({ input })) },
  });
  const diff = (lower: number, upper: number): Init<pb.Op> => ({
    diff: { lower: { input: lower }, upper: { input: upper } },
  });

  it('are named after their inputs', () => {
    expect(vertexOf(merge(0, 2)).name).to.equal('merge (mkdir /a, mkdir /b, mkdir /c)');
    expect(vertexOf(diff(-1, 1)).name).to.equal('diff scratch -> (mkdir /b)');
    expect(vertexOf({ passthrough: { id: 'x', outputs: [0] } }).name).to.equal('passthrough x');
  });

  it('are keyed by the definitions of their inputs alone', async () => {
    const { map, done } = await vertexOf(merge(0, 1, 2)).op.cacheMap(0, opContext());
    expect(done).to.equal(true);
    expect(map.deps).to.deep.equal(Array(3).fill({ selector: undefined, contentDigest: undefined }));
  });

  it('merge in the order of the op, the last wins', async () => {
    expect(told((await run(merge(1, 0)))[0])).to.deep.equal({ a: '1', b: '2', same: 'a' });
  });

  it('merge around empty trees', async () => {
    expect(told((await run(merge(0, 1), [undefined, trees[1], trees[2]]))[0])).to.deep.equal({
      b: '2',
      same: 'b',
    });
  });

  it('take the difference from one input to another, either of which may be nothing', async () => {
    await run(diff(1, 2));
    await run(diff(-1, 0));
    await run(diff(0, -1));
    const [a, b, c] = trees.map(({ id }) => id);
    expect(worker.refs.diffs).to.deep.equal([
      { lower: b, upper: c },
      { lower: undefined, upper: a },
      { lower: a, upper: undefined },
    ]);
  });

  it('hand on what is chosen, as handles of their own', async () => {
    const vertex = vertexOf({ passthrough: { id: 'x', outputs: [2, 0] } });
    expect(vertex.outputs).to.equal(2);
    const before = worker.refs.live;
    const results = await vertex.op.exec(trees, opContext());
    expect(results.map(told)).to.deep.equal([{ c: '3' }, { a: '1', same: 'a' }]);
    expect(worker.refs.live).to.equal(before + 2);
  });
});
