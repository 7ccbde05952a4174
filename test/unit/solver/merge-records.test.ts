import { expect } from 'chai';
import type { CacheRecord } from '../../../core/contracts/cache.js';
import { contentKey, rootKey } from '../../../core/solver/keys/key-id.js';
import { mergeRecords } from '../../../core/solver/keys/merge-records.js';
import type { Vertex } from '../../../core/solver/op.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { Bench } from './support/bench.js';

type Link = CacheRecord['inputs'][number][number];
const record = (digest: Digest, inputs: readonly (readonly Link[])[] = [], result = false): CacheRecord => ({
  digest,
  inputs,
  ...(result ? { result: { layers: { layers: [], provider: {} as never }, createdAt: 1 } } : {}),
});

describe('imported cache records', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const merge = (top: CacheRecord): Promise<void> =>
    mergeRecords(bench.keys, [top], async ({ digest, result }) => {
      if (!result) return undefined;
      bench.results.values.set(`imported ${digest.slice(7, 12)}`, 'imported');
      return `imported ${digest.slice(7, 12)}`;
    });
  const top = (): Vertex => {
    const { graph } = bench;
    const base = graph.step({ name: 'base', value: 'files' });
    return graph.step({ name: 'top', inputs: [base], selectors: { 0: 'sel' }, content: { 0: true } });
  };
  const topKey = rootKey(sha256('key top'), 0);

  it('match by definition', async () => {
    const base = record(rootKey(sha256('key base'), 0));
    await merge(record(topKey, [[{ selector: sha256('sel'), record: base }]], true));
    expect([await bench.build(top()), bench.graph.ran]).to.deep.equal(['imported', {}]);
  });

  it('match by content', async () => {
    const content = record(contentKey(sha256('content files')));
    await merge(record(topKey, [[{ record: content }]], true));
    expect([await bench.build(top()), bench.graph.ran]).to.deep.equal(['imported', { base: 1 }]);
  });

  it('do not match through a selector they were not made with', async () => {
    const base = record(rootKey(sha256('key base'), 0));
    await merge(record(topKey, [[{ selector: sha256('other'), record: base }]], true));
    expect(await bench.build(top())).to.equal('top(files)');
  });

  it('may be merged again without adding anything', async () => {
    const base = record(rootKey(sha256('key base'), 0));
    const imported = record(topKey, [[{ selector: sha256('sel'), record: base }]], true);
    await merge(imported);
    const count = (): number => [...bench.kv.table('solver.links').entries()].length;
    const before = count();
    await merge(imported);
    expect(count()).to.equal(before);
  });
});
