import { expect } from 'chai';
import { ImportedCache } from '../../../../core/cache/imported-cache.js';
import type { CacheRecord } from '../../../../core/contracts/cache.js';
import type { LazyLayer, RefStore } from '../../../../core/contracts/refs.js';
import { contentKey, rootKey } from '../../../../core/solver/keys/key-id.js';
import type { Vertex } from '../../../../core/solver/op.js';
import { sha256 } from '../../../../core/util/digest.js';
import { cacheLayers } from '../../../contract/cache.js';
import { Bench } from '../../solver/support/bench.js';

/** base -> step (has layers) -> top (has them and more). */
const base: CacheRecord = { digest: rootKey(sha256('key base'), 0), inputs: [] };
const content: CacheRecord = { digest: contentKey(sha256('content files')), inputs: [] };
const step: CacheRecord = {
  digest: rootKey(sha256('key step'), 0),
  inputs: [[{ record: content }, { record: base }]],
  result: { layers: cacheLayers('a'), createdAt: 1 },
};
const top: CacheRecord = {
  digest: rootKey(sha256('key top'), 0),
  inputs: [[{ record: step }]],
  result: { layers: cacheLayers('a', 'b'), createdAt: 2 },
};

describe('an imported cache', () => {
  let bench: Bench;
  let offered: number;
  beforeEach(() => {
    bench = new Bench();
    offered = 0;
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const imported = (...records: readonly CacheRecord[]): ImportedCache => {
    const refs = {
      offerLayers: () => void offered++,
      fromLayers: async (layers: readonly LazyLayer[]) => bench.tracker.make(`${layers.length} layers`),
    } as unknown as RefStore;
    return new ImportedCache('somewhere', records, { keys: bench.keys, results: bench.results, refs });
  };
  const graph = (): { readonly step: Vertex; readonly top: Vertex } => {
    const source = bench.graph.step({ name: 'base', value: 'files' });
    const middle = bench.graph.step({ name: 'step', inputs: [source], content: { 0: true } });
    return { step: middle, top: bench.graph.step({ name: 'top', inputs: [middle] }) };
  };
  const build = async (vertex: Vertex, ...caches: readonly ImportedCache[]): Promise<string> => {
    await using job = bench.job();
    for (const cache of caches) job.addCache(cache);
    return await bench.value(job, vertex);
  };

  it('answers a build by definition, and nothing runs', async () => {
    expect(await build(graph().top, imported(top))).to.equal('2 layers');
    expect(bench.graph.ran).to.deep.equal({});
  });

  it('answers by content what was defined otherwise', async () => {
    const other = { ...step, inputs: [[{ record: content }]] };
    expect(await build(graph().step, imported(other))).to.equal('1 layers');
    expect(bench.graph.ran).to.deep.equal({ base: 1 });
  });

  it('is asked by the job that brought it, and by no other', async () => {
    const cache = imported(top);
    expect(await build(graph().top)).to.equal('top(step(files))');
    expect(cache.name).to.equal('somewhere');
  });

  it('leaves what was used of it, and what that rests on, to later builds', async () => {
    await build(graph().top, imported(top));
    expect(await build(graph().top)).to.equal('2 layers');
    expect(await build(graph().step)).to.equal('1 layers');
    expect(bench.graph.ran).to.deep.equal({});
  });

  it('is known to what is built on it, without an import', async () => {
    const more = (): Vertex => bench.graph.step({ name: 'more', inputs: [graph().top] });
    await build(more(), imported(top));
    expect(bench.graph.ran.more).to.equal(1);
    expect(await build(more())).to.equal('more(2 layers)');
    expect(bench.graph.ran.more).to.equal(1);
  });

  it('says why a step was not found in it', async () => {
    const explained = async (
      vertex: Vertex,
      ...caches: readonly ImportedCache[]
    ): Promise<string | undefined> => {
      await using job = bench.job();
      for (const cache of caches) job.addCache(cache);
      await bench.value(job, vertex);
      return job.explain().find(({ digest }) => digest === vertex.digest)?.because;
    };
    const on = (name: string): Vertex => {
      const source = bench.graph.step({ name: `${name} below` });
      return bench.graph.step({ name: 'top', key: 'top', digest: name, inputs: [source] });
    };
    expect(await explained(on('one'), imported(top), imported(base))).to.match(
      /; the cache imported from somewhere has this step with other inputs; the cache imported from somewhere has no such step$/,
    );
    const { result: _, ...bare } = top;
    expect(await explained(graph().top, imported(bare))).to.equal(
      'its key is known, but no result is left; the cache imported from somewhere has this step without its layers',
    );
  });

  it('is one of several', async () => {
    const other: CacheRecord = { digest: rootKey(sha256('key other'), 0), inputs: [] };
    expect(await build(graph().top, imported(other), imported(top))).to.equal('2 layers');
  });

  it('offers its layers to refs that were never downloaded', () => {
    imported(top);
    expect(offered).to.equal(2);
  });

  it('says in the explanation where a step was found', async () => {
    await using job = bench.job();
    job.addCache(imported(top));
    const { top: vertex } = graph();
    await bench.value(job, vertex);
    const { because } = job.explain().find(({ digest }) => digest === vertex.digest)!;
    expect(because).to.contain('in the cache from somewhere');
  });
});
