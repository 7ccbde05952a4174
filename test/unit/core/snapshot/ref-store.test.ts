import fs from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { KvBatch } from '../../../../core/contracts/kv.js';
import { silentProgress } from '../../../../core/contracts/progress.js';
import type { ImmutableRef, MutableRef } from '../../../../core/contracts/refs.js';
import type { Workers } from '../../../../core/contracts/worker.js';
import { collect } from '../../../../core/kv/batch.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { RefResultStore } from '../../../../core/snapshot/result-store.js';
import { type Deferred, deferred } from '../../../../core/util/deferred.js';
import { sha256 } from '../../../../core/util/digest.js';
import { lazyLayers, never, RefStoreHome } from '../../../support/ref-store-home.js';
import { makeTempDir } from '../../../support/trees.js';

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { code?: string }) => String(error.code),
  );

const dispose = async (...refs: readonly (ImmutableRef | MutableRef | undefined)[]): Promise<void> => {
  for (const ref of refs) await ref?.[Symbol.asyncDispose]();
};

/** Writes show at once and take until the disk is let go. */
class SlowKv extends MemoryKv {
  #disk = Promise.resolve();

  hold(): Deferred<void> {
    const disk = deferred<void>();
    this.#disk = disk.promise;
    return disk;
  }

  override async write(change: (batch: KvBatch) => void): Promise<void> {
    await super.write(change);
    if (collect(change).length > 0) await this.#disk;
  }
}

describe('LocalRefStore', () => {
  let root: string;
  let count = 0;
  let home: RefStoreHome;
  let dir: string;
  before(() => {
    root = makeTempDir();
  });
  after(() => fs.rm(root, { recursive: true }));
  beforeEach(async () => {
    dir = path.join(root, `${count++}`);
    home = await RefStoreHome.open(dir);
  });

  const reopen = (): Promise<RefStoreHome> => RefStoreHome.open(dir, home.kv);
  const snapshots = async (of = home): Promise<readonly string[]> =>
    (await of.snapshotter.list()).map(({ key }) => key).sort();

  describe('handles', () => {
    it('keeps a tree that was committed, on its parent', async () => {
      const base = await home.commit(undefined, { a: '1', b: '1' });
      const child = await home.commit(base, { b: '2' });
      expect(await home.files(child)).to.deep.equal({ a: '1', b: '2' });
      expect(await home.files(base)).to.deep.equal({ a: '1', b: '1' });
      await dispose(base, child);
      await using again = await home.refs.get(child.id);
      expect(await home.files(again)).to.deep.equal({ a: '1', b: '2' });
    });

    it('removes what was never committed', async () => {
      const ref = await home.write(undefined, { a: '1' });
      expect(await snapshots()).to.deep.equal([`w-${ref.id}`]);
      await dispose(ref);
      await setImmediate();
      expect([await snapshots(), await home.refs.usage([])]).to.deep.equal([[], []]);
    });

    it('waits for no disk to forget what was never committed', async () => {
      const kv = new SlowKv();
      const slow = await RefStoreHome.open(path.join(dir, 'slow'), kv);
      const ref = await slow.write(undefined, { a: '1' });
      const disk = kv.hold();
      await dispose(ref);
      await setImmediate();
      expect([await snapshots(slow), await slow.refs.usage([])]).to.deep.equal([[], []]);
      disk.resolve();
      await slow.refs[Symbol.asyncDispose]();
      expect(await fs.readdir(path.join(dir, 'slow/snapshots/s'))).to.deep.equal([]);
    });

    it('waits for no disk to build on what was just committed', async () => {
      const kv = new SlowKv();
      const slow = await RefStoreHome.open(path.join(dir, 'slow'), kv);
      const disk = kv.hold();
      const first = await slow.commit(undefined, { a: '1' });
      const second = await slow.commit(first, { b: '2' });
      expect((await second.view(silentProgress, never)).layers).to.have.length(2);
      let closed = false;
      const closing = slow.refs[Symbol.asyncDispose]().then(() => {
        closed = true;
      });
      await setImmediate();
      expect(closed, 'closed before the disk had it').to.equal(false);
      disk.resolve();
      await closing;
    });

    it('says so when a handle is disposed twice or used afterwards', async () => {
      const ref = await home.commit(undefined, { a: '1' });
      const copy = ref.clone();
      await dispose(ref);
      expect(await codeOf(dispose(ref))).to.equal('ref.released');
      expect(await codeOf(ref.mounts(silentProgress, never))).to.equal('ref.released');
      expect(() => ref.clone()).to.throw('used after');
      await dispose(copy);
    });

    it('spends a mutable ref by committing it', async () => {
      const ref = await home.write(undefined, { a: '1' });
      const committed = await ref.commit();
      await dispose(ref);
      expect(await codeOf(ref.commit())).to.equal('ref.released');
      await dispose(committed);
    });

    it('lists open handles with the place that opened them', async () => {
      const ref = await home.commit(undefined, { a: '1' });
      expect(home.refs.openHandles().map(({ id }) => id)).to.deep.equal([ref.id]);
      expect(home.refs.openHandles()[0]!.stack).to.contain('ref-store.test');
      await dispose(ref);
      expect(home.refs.openHandles()).to.deep.equal([]);
    });

    it('refuses a parent of another worker', async () => {
      const other = await RefStoreHome.open(path.join(dir, 'other'), new MemoryKv(), { workerId: 'other' });
      await using base = await other.commit(undefined, { a: '1' });
      expect(await codeOf(home.write(base, {}))).to.equal('ref.other-worker');
    });

    it('leaves nothing behind when the snapshotter fails', async () => {
      await using base = await home.commit(undefined, { a: '1' });
      await home.snapshotter.remove(base.id);
      expect(await codeOf(home.write(base, {}))).to.equal('snapshot.not-found');
      expect((await home.refs.usage([])).map(({ id }) => id)).to.deep.equal([base.id]);
    });
  });

  describe('retained refs', () => {
    const options = { index: 'cachemount:x', type: 'exec.cachemount' } as const;

    it('are found again by one holder at a time', async () => {
      const first = await home.write(undefined, { a: '1' }, options);
      expect(await home.refs.findMutable(options.index)).to.equal(undefined);
      await first.retain();
      await dispose(first);
      const second = (await home.refs.findMutable(options.index))!;
      expect(await home.files(second)).to.deep.equal({ a: '1' });
      expect(await home.refs.findMutable(options.index)).to.equal(undefined);
      await second.retain();
      await dispose(second);
    });

    it('are told by their indexes, of the one used last first', async () => {
      const kept = async (index: string): Promise<MutableRef> => {
        const ref = await home.write(undefined, {}, { ...options, index });
        await ref.retain();
        return ref;
      };
      const [first, second] = [await kept('cachemount:a'), await kept('cachemount:b')];
      const others = [
        await kept('other:c'),
        await home.write(undefined, {}, { ...options, index: 'cachemount:d' }),
      ];
      const now = Date.now;
      try {
        Date.now = () => now() + 1000;
        await dispose(second);
        Date.now = () => now() + 2000;
        await dispose(first);
      } finally {
        Date.now = now;
      }
      expect(home.refs.mutableIndexes('cachemount:')).to.deep.equal(['cachemount:a', 'cachemount:b']);
      await dispose(...others);
    });

    it('are packed as one layer on whatever they are compared with, and can be written to afterwards', async () => {
      await using base = await home.commit(undefined, { a: '1' });
      const packing = { compression: { type: 'zstd' }, mediaTypes: 'oci' } as const;
      const ref = await home.write(base, { b: '2' }, options);
      await ref.retain();
      const { layers, provider } = await ref.pack(base, packing, silentProgress, never);
      const [layer] = layers;
      expect([layers.length, layer!.descriptor.mediaType]).to.deep.equal([
        1,
        'application/vnd.oci.image.layer.v1.tar+zstd',
      ]);
      await using back = await home.refs.fromLayers([{ ...layer!, provider }], { description: 'back' });
      expect(await home.files(back!)).to.deep.equal({ b: '2' });
      await ref.pack(undefined, packing, silentProgress, never);
      expect(home.differ.compared).to.deep.equal([
        { lower: 1, compression: 'zstd' },
        { lower: 0, compression: 'zstd' },
      ]);
      await dispose(ref);
      const found = (await home.refs.findMutable(options.index))!;
      expect(await home.files(found)).to.deep.equal({ a: '1', b: '2' });
      await dispose(found);
    });

    it('outlive the process, also while in use', async () => {
      const ref = await home.write(undefined, { a: '1' }, options);
      await ref.retain();
      const next = await reopen();
      const found = (await next.refs.findMutable(options.index))!;
      expect(await next.files(found)).to.deep.equal({ a: '1' });
      await dispose(found);
      expect(await next.refs.findMutable(options.index)).to.equal(undefined);
      expect(await snapshots(next)).to.deep.equal([]);
    });

    it('are not handed out as immutable', async () => {
      const ref = await home.write(undefined, { a: '1' }, options);
      await ref.retain();
      expect([
        await codeOf(home.refs.get(ref.id)),
        home.refs.has(ref.id),
        await home.refs.find(options.index),
      ]).to.deep.equal(['ref.not-found', false, []]);
      await dispose(ref);
    });
  });

  it('finds immutable refs by index, newest first', async () => {
    const make = async (name: string): Promise<string> => {
      await using ref = await home.commit(undefined, { name }, { index: 'local:x' });
      return ref.id;
    };
    const ids = [await make('old')];
    while (Date.now() === (await home.refs.usage([]))[0]!.createdAt) await setImmediate();
    ids.unshift(await make('new'));
    const found = await home.refs.find('local:x');
    expect(found.map(({ id }) => id)).to.deep.equal(ids);
    await dispose(...found);
  });

  it('keeps metadata with the record, also what was set before the commit', async () => {
    const ref = await home.write(undefined, { a: '1' });
    await ref.metadata.set('list', Buffer.from('before'));
    const committed = await ref.commit();
    await committed.metadata.set('more', Buffer.from('after'));
    await committed.metadata.set('gone', Buffer.from('x'));
    await committed.metadata.set('gone', undefined);
    await dispose(committed);
    const next = await reopen();
    await using again = await next.refs.get(committed.id);
    const texts = ['list', 'more', 'gone'].map((key) => {
      const value = again.metadata.get(key);
      return value && Buffer.from(value).toString();
    });
    expect(texts).to.deep.equal(['before', 'after', undefined]);
  });

  describe('usage', () => {
    it('counts uses and remembers the last one over restarts', async () => {
      const ref = await home.commit(undefined, { a: '1' });
      await dispose(ref);
      await dispose(await home.refs.get(ref.id));
      await home.refs[Symbol.asyncDispose]();
      const [record] = await (await reopen()).refs.usage([]);
      expect(record!.usageCount).to.equal(2);
      expect(record!.lastUsedAt).to.be.closeTo(Date.now(), 5000);
    });

    it('calls a record in use that something in use stands on', async () => {
      const base = await home.commit(undefined, { a: '1' });
      const child = await home.commit(base, { b: '1' });
      const idle = await home.commit(base, { c: '1' });
      await dispose(base, idle);
      const used = async (): Promise<Readonly<Record<string, boolean>>> =>
        Object.fromEntries((await home.refs.usage([])).map(({ description, inUse }) => [description, inUse]));
      expect(await used()).to.deep.equal({ a: true, b: true, c: false });
      await dispose(child);
      expect(await used()).to.deep.equal({ a: false, b: false, c: false });
    });

    it('measures committed trees with their blobs, and not what is being written', async () => {
      await using base = await home.commit(undefined, { a: 'x'.repeat(50_000) });
      await using _writing = await home.write(base, { b: 'x'.repeat(50_000) });
      const sizes = async (): Promise<Readonly<Record<string, number>>> =>
        Object.fromEntries((await home.refs.usage([])).map(({ description, size }) => [description, size]));
      const before = await sizes();
      expect(before.a).to.be.within(50_000, 70_000);
      expect(before.b).to.equal(0);
      const options = { compression: { type: 'gzip' }, mediaTypes: 'oci' } as const;
      const { layers } = await base.layers(options, silentProgress, never);
      expect((await sizes()).a! - before.a!).to.equal(layers[0]!.descriptor.size);
    });

    const filters: readonly (readonly [readonly string[], readonly string[]])[] = [
      [[], ['a', 'b', 'mount']],
      [['type==regular'], ['a', 'b']],
      [
        ['type==exec.cachemount', 'description==b'],
        ['b', 'mount'],
      ],
      [['mutable'], ['mount']],
      [['immutable,inuse'], ['b', 'a']],
      [['inuse'], ['a', 'b', 'mount']],
      [['description~=^[ab]$,type!=internal'], ['a', 'b']],
      [['shared'], []],
      [['private'], ['a', 'b', 'mount']],
      [['parents'], ['b']],
      [['id~=zzzz'], []],
    ];
    for (const [filter, expected] of filters) {
      it(`lists ${JSON.stringify(filter)}`, async () => {
        await using base = await home.commit(undefined, { a: '1' });
        await using _child = await home.commit(base, { b: '1' });
        await using _mount = await home.write(
          undefined,
          {},
          { type: 'exec.cachemount', description: 'mount' },
        );
        const found = (await home.refs.usage(filter)).map(({ description }) => description);
        expect(found.sort()).to.deep.equal([...expected].sort());
      });
    }

    it('names the place where a filter is wrong', async () => {
      expect(await codeOf(home.refs.usage(['type=='] as const) as Promise<unknown>)).to.equal('usage.filter');
    });
  });

  describe('layers', () => {
    const gzip = { compression: { type: 'gzip' }, mediaTypes: 'oci' } as const;

    it('computes each layer against the ones below, once, and remembers it', async () => {
      const base = await home.commit(undefined, { a: '1' });
      await using top = await home.commit(base, { b: '1' });
      await dispose(base);
      const { layers, provider } = await top.layers(gzip, silentProgress, never);
      expect(layers.map(({ description }) => description)).to.deep.equal(['a', 'b']);
      expect(home.differ.compared).to.have.deep.members([
        { lower: 0, compression: 'gzip' },
        { lower: 1, compression: 'gzip' },
      ]);
      const chunks: Uint8Array[] = [];
      for await (const chunk of provider.read(layers[1]!.descriptor, {}, never)) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).to.equal('gzip|{"b":"1"}');

      const next = await reopen();
      await using again = await next.refs.get(top.id);
      expect((await again.layers(gzip, silentProgress, never)).layers).to.deep.equal(layers);
      expect(next.differ.compared).to.deep.equal([]);
    });

    it('computes a layer once for two callers', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      await Promise.all([ref.layers(gzip, silentProgress, never), ref.layers(gzip, silentProgress, never)]);
      expect(home.differ.compared.length).to.equal(1);
    });

    it('takes a blob of another compression unless it is forced', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      const types = async (type: 'gzip' | 'zstd', force?: boolean): Promise<readonly string[]> => {
        const compression = force ? { type, force } : { type };
        const { layers } = await ref.layers({ compression, mediaTypes: 'oci' }, silentProgress, never);
        return layers.map(({ descriptor }) => descriptor.mediaType.split('+')[1]!);
      };
      expect([
        await types('gzip'),
        await types('zstd'),
        await types('zstd', true),
        await types('gzip', true),
      ]).to.deep.equal([['gzip'], ['gzip'], ['zstd'], ['gzip']]);
      expect(home.differ.compared.length).to.equal(2);
    });

    it('keeps blobs of another epoch apart', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      await ref.layers(gzip, silentProgress, never);
      await ref.layers({ ...gzip, sourceDateEpoch: 1 }, silentProgress, never);
      await ref.layers({ ...gzip, sourceDateEpoch: 1 }, silentProgress, never);
      expect(home.differ.compared.length).to.equal(2);
    });

    it('names media types as the image family does', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      const { layers } = await ref.layers({ ...gzip, mediaTypes: 'docker' }, silentProgress, never);
      expect(layers[0]!.descriptor.mediaType).to.equal('application/vnd.docker.image.rootfs.diff.tar.gzip');
    });

    it('computes again what has been removed from the content store', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      const { layers } = await ref.layers(gzip, silentProgress, never);
      await home.content.remove(layers[0]!.descriptor.digest);
      await ref.layers(gzip, silentProgress, never);
      expect(await home.content.info(layers[0]!.descriptor.digest)).not.to.equal(undefined);
    });

    it('lets an image that is pulled later share what was built here', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      await ref.layers(gzip, silentProgress, never);
      await using pulled = await home.refs.fromLayers(lazyLayers([{ a: '1' }, { b: '2' }]), {
        description: '',
      });
      expect((await home.refs.usage([`id==${pulled!.id}`]))[0]!.parents).to.deep.equal([ref.id]);
      expect(await home.files(pulled!)).to.deep.equal({ a: '1', b: '2' });
    });
  });

  describe('start', () => {
    it('sweeps what was being written, and keeps the rest', async () => {
      const base = await home.commit(undefined, { a: '1' });
      const writing = await home.write(base, { b: '1' });
      await writing.metadata.set('x', Buffer.from('1'));
      await home.snapshotter.prepare('stray', base.id);
      const next = await reopen();
      expect(await snapshots(next)).to.deep.equal([base.id]);
      expect((await next.refs.usage([])).map(({ id }) => id)).to.deep.equal([base.id]);
      expect([...home.kv.table('ref-metadata/worker').entries()]).to.deep.equal([]);
    });

    it('removes a snapshot that was committed just before its record', async () => {
      await home.snapshotter.prepare('w-x', undefined);
      await home.snapshotter.commit('x', 'w-x');
      expect(await snapshots(await reopen())).to.deep.equal([]);
    });

    it('drops records that have lost their snapshot, with what stands on them', async () => {
      await using keep = await home.commit(undefined, { k: '1' });
      await using base = await home.commit(undefined, { a: '1' });
      await using child = await home.commit(base, { b: '1' });
      await home.snapshotter.remove(child.id);
      await home.snapshotter.remove(base.id);
      const next = await reopen();
      expect((await next.refs.usage([])).map(({ id }) => id)).to.deep.equal([keep.id]);
    });
  });

  describe('as result store', () => {
    const results = (...ids: readonly string[]): RefResultStore => {
      const list = (ids.length === 0 ? ['worker'] : ids).map((id) => ({ profile: { id }, refs: home.refs }));
      return new RefResultStore({
        list,
        get: (id: string) => list.find(({ profile }) => profile.id === id),
      } as unknown as Workers);
    };

    it('names, finds and loads refs and the empty tree', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      const [named, scratch] = [await results().save(ref), await results().save(undefined)];
      expect([named, scratch]).to.deep.equal([`worker::${ref.id}`, 'scratch']);
      expect([results().has(named), results().has(scratch)]).to.deep.equal([true, true]);
      expect(await results().load(scratch)).to.equal(undefined);
      await using loaded = (await results().load(named))!;
      expect((loaded as ImmutableRef).id).to.equal(ref.id);
    });

    it('knows what has gone', async () => {
      expect(results().has('worker::none')).to.equal(false);
      expect(await codeOf(results().load('worker::none'))).to.equal('ref.not-found');
      expect(results().has('nobody::x')).to.equal(false);
      expect(await codeOf(results().load('nobody::x'))).to.equal('ref.no-worker');
    });

    it('finds what any of the workers has that came up', async () => {
      await using ref = await home.commit(undefined, { a: '1' });
      const id = `worker::${ref.id}`;
      expect(results('worker', 'other').has(id)).to.equal(true);
      expect(results('other', 'worker').has(id)).to.equal(true);
      expect(results('other').has(id)).to.equal(false);
    });

    it('refuses to save what is not committed', async () => {
      await using ref = await home.write(undefined, {});
      expect(await codeOf(results().save(ref as never))).to.equal('ref.not-savable');
    });
  });

  it('keeps documents of an image as long as its record', async () => {
    const config = await home.content.writeBlob(Buffer.from('config'));
    await using ref = await home.refs.fromLayers(lazyLayers([{ a: '1' }]), {
      description: '',
      blobs: [config],
    });
    const holds = [...home.kv.table('blob-holds').entries()].map(([key]) => key.split(' ')[0]);
    expect(holds).to.include(config);
    expect(ref!.lazy).to.equal(true);
    expect(sha256('config')).to.equal(config);
  });
});
