import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { Source } from '../../../core/contracts/source.js';
import type { Worker } from '../../../core/contracts/worker.js';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { BroughtTrees } from '../../../core/llb/bring.js';
import { loadLlb } from '../../../core/llb/load.js';
import { RefResultStore } from '../../../core/snapshot/result-store.js';
import type { Result, Vertex } from '../../../core/solver/op.js';
import { sha256 } from '../../../core/util/digest.js';
import { FakeWorker, fakeWorkers } from '../../support/fake-worker.js';
import { everything, FakeRegistry, lazyLayers, never, RefStoreHome } from '../../support/ref-store-home.js';
import { opBytes, rootMount } from './ops.js';
import { fakeServices, opContext } from './services.js';

const source: Source = {
  open: () => ({ cacheKey: async () => ({ key: 'k', done: true }), fetch: async () => undefined }),
};

describe('steps on several workers', () => {
  const [here, there] = [new FakeWorker('here'), new FakeWorker('there')];
  const services = fakeServices({ workers: [here, there], sources: { local: source } });
  const vertexOn = (id: string): Vertex => {
    const sources = ['/a', '/b'].map((dir) =>
      opBytes({ file: { actions: [{ input: -1, secondaryInput: -1, mkdir: { path: dir } }] } }),
    );
    const inputs = sources.map((bytes) => ({ digest: sha256(bytes) }));
    const bytes = opBytes({
      inputs,
      merge: { inputs: [{ input: 0 }, { input: 1 }] },
      constraints: { filter: [`id==${id}`] },
    });
    const def = [...sources, bytes, opBytes({ inputs: [{ digest: sha256(bytes) }] })];
    return loadLlb({ def, metadata: new Map() }, services, { entitlements: new Set() })!.vertex;
  };

  it('are given what another worker made of their inputs, and keep none of it', async () => {
    const trees = [here.refs.make({ a: '1' }), there.refs.make({ b: '2' })];
    const [live, liveThere] = [here.refs.live, there.refs.live];
    const [merged] = await vertexOn('there').op.exec(trees, opContext());
    expect((merged as ImmutableRef).workerId).to.equal('there');
    expect(Object.fromEntries(there.refs.tree(merged as ImmutableRef))).to.deep.equal({ a: '1', b: '2' });
    await merged![Symbol.asyncDispose]();
    expect([here.refs.live, there.refs.live]).to.deep.equal([live, liveThere]);
  });

  it('are given their own trees as they are', async () => {
    const trees: Result[] = [there.refs.make({ a: '1' }), there.refs.make({ b: '2' })];
    let made = 0;
    const { fromLayers } = there.refs;
    there.refs.fromLayers = (layers) => {
      made++;
      return fromLayers.call(there.refs, layers);
    };
    await vertexOn('there').op.exec(trees, opContext());
    expect(made).to.equal(0);
  });

  it('have one key, whichever runs them, and slots of their own', async () => {
    const [one, two] = ['here', 'there'].map((id) => {
      const bytes = opBytes({
        exec: { meta: { args: ['true'], cwd: '/' }, mounts: [{ ...rootMount, input: -1 }] },
        constraints: { filter: [`id==${id}`] },
      });
      const def = [bytes, opBytes({ inputs: [{ digest: sha256(bytes) }] })];
      return loadLlb({ def, metadata: new Map() }, services, { entitlements: new Set() })!.vertex;
    });
    const keyOf = async ({ op }: Vertex) => (await op.cacheMap(0, opContext())).map.digest;
    expect(await keyOf(one!)).to.equal(await keyOf(two!));
    expect([one!.op.pool, two!.op.pool]).to.deep.equal(['here', 'there']);
  });

  it('copy from what another worker has without bringing it', async () => {
    const source = opBytes({ source: { identifier: 'local://x' } });
    const base = opBytes({ file: { actions: [{ input: -1, secondaryInput: -1, mkdir: { path: '/b' } }] } });
    const inputs = [{ digest: sha256(base) }, { digest: sha256(source) }];
    const copy = { input: 0, secondaryInput: 1, copy: { src: '/a', dest: '/c', mode: -1 } };
    const bytes = opBytes({ inputs, file: { actions: [copy] }, constraints: { filter: ['id==there'] } });
    const def = [source, base, bytes, opBytes({ inputs: [{ digest: sha256(bytes) }] })];
    const loaded = loadLlb({ def, metadata: new Map() }, services, { entitlements: new Set() })!;
    const from = here.refs.make({ '/a': '1' });
    const [made] = await loaded.vertex.op.exec([here.refs.make({ '/b': '' }), from], opContext());
    expect((made as ImmutableRef).workerId).to.equal('there');
    expect(there.applied.at(-1)).to.include({ source: from.id });
    expect(Object.fromEntries(there.refs.tree(made as ImmutableRef))).to.have.property('/b');
  });

  it('find cached results on each of them, and on none that is gone', async () => {
    const results = new RefResultStore(fakeWorkers(here, there));
    const id = await results.save(there.refs.make({ x: '1' }));
    expect(results.has(id)).to.equal(true);
    const loaded = (await results.load(id)) as ImmutableRef;
    expect(loaded.workerId).to.equal('there');
    expect(new RefResultStore(fakeWorkers(here)).has(id)).to.equal(false);
  });
});

describe('a tree that is brought to another worker', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'buildkit-bring-'));
  });
  afterEach(() => fs.rm(dir, { recursive: true, force: true }));

  /** Two workers over one key-value store and one content store, as an engine has them. */
  const open = async (): Promise<{ from: RefStoreHome; to: RefStoreHome; worker: Worker }> => {
    const kv = new MemoryKv();
    const from = await RefStoreHome.open(path.join(dir, 'one'), kv, { workerId: 'one' });
    const { content } = from;
    const to = await RefStoreHome.open(path.join(dir, 'two'), kv, { workerId: 'two', content });
    return { from, to, worker: Object.assign(new FakeWorker('two'), { refs: to.refs }) };
  };
  const bring = (worker: Worker, ...trees: readonly (ImmutableRef | undefined)[]): Promise<BroughtTrees> =>
    BroughtTrees.bring(worker, trees, silentProgress, never);

  it('is the same there, layer for layer', async () => {
    const { from, to, worker } = await open();
    await using below = await from.commit(undefined, { a: '1' });
    await using tree = await from.commit(below, { b: '2' });
    await using brought = await bring(worker, tree, undefined);
    const [there, scratch] = brought.trees;
    expect(scratch).to.equal(undefined);
    expect(there?.workerId).to.equal('two');
    expect(await to.files(there!)).to.deep.equal({ a: '1', b: '2' });
    const digests = async (ref: ImmutableRef) => {
      const options = { compression: { type: 'gzip', force: false }, mediaTypes: 'oci' } as const;
      const { layers } = await ref.layers(options, silentProgress, never);
      return layers.map(({ descriptor }) => descriptor.digest);
    };
    expect(await digests(there!)).to.deep.equal(await digests(tree));
    expect(to.differ.compared).to.deep.equal([]);
  });

  it('is the same record the next time, and packed once', async () => {
    const { from, worker } = await open();
    await using tree = await from.commit(undefined, { a: '1' });
    await using first = await bring(worker, tree);
    await using second = await bring(worker, tree);
    expect(second.trees[0]?.id).to.equal(first.trees[0]?.id);
    expect(from.differ.compared).to.have.length(1);
  });

  it('stays lazy if it was', async () => {
    const { from, to, worker } = await open();
    const registry = new FakeRegistry([]);
    await using tree = (await from.refs.fromLayers(lazyLayers([{ a: '1' }, { b: '2' }], registry), {
      description: 'an image',
    }))!;
    await using brought = await bring(worker, tree);
    expect(brought.trees[0]?.lazy).to.equal(true);
    expect(registry.reads).to.deep.equal([]);
    expect(to.differ.applied).to.deep.equal([]);
  });

  it('is as lost as its layers when the clients are gone that have them', async () => {
    const { from, to, worker } = await open();
    const clients = [new AbortController(), new AbortController()];
    const layers = clients.flatMap(({ signal }, i) => {
      const [layer] = lazyLayers([{ [`${i}`]: '1' }]);
      return { ...layer!, provider: { gone: signal, read: layer!.provider.read } };
    });
    await using tree = (await from.refs.fromLayers(layers, { description: 'of clients' }))!;
    await using brought = await bring(worker, tree);
    const { id } = brought.trees[0]!;
    expect(await to.refs.isObtainable(id)).to.equal(true);
    clients[0]!.abort();
    expect(await to.refs.isObtainable(id)).to.equal(false);
  });

  it('outlives the one that it was made of', async () => {
    const { from, to, worker } = await open();
    const tree = await from.commit(undefined, { a: '1' });
    await using brought = await bring(worker, tree);
    await tree[Symbol.asyncDispose]();
    const now = { ...everything, keepBlobsSince: Date.now() + 1 };
    const gone: string[] = [];
    for await (const { id } of from.refs.prune(now, never)) gone.push(id);
    expect(gone).to.deep.equal([tree.id]);
    expect(await to.files(brought.trees[0]!)).to.deep.equal({ a: '1' });
  });

  it('leaves no handle behind, also when one of several cannot be brought', async () => {
    const { from, to, worker } = await open();
    await using good = await from.commit(undefined, { a: '1' });
    const bad = await from.commit(undefined, { b: '1' });
    await bad[Symbol.asyncDispose]();
    const failed = await bring(worker, good, bad).then(
      () => 'brought',
      (error: Error) => error.message,
    );
    expect(failed).to.contain(bad.id);
    expect(to.refs.openHandles()).to.deep.equal([]);
    await using _brought = await bring(worker, good);
    expect(to.refs.openHandles()).to.have.length(1);
  });
});
