import fs from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { ContentProvider, ContentStore } from '../../../../core/contracts/content.js';
import { silentProgress } from '../../../../core/contracts/progress.js';
import type { ImmutableRef, LazyLayer } from '../../../../core/contracts/refs.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { deferred } from '../../../../core/util/deferred.js';
import { type Digest, sha256 } from '../../../../core/util/digest.js';
import { FakeFollowingDiffer, fakeLayer } from '../../../support/fake-differ.js';
import { RecordedProgress } from '../../../support/fake-progress.js';
import { FakeRegistry, lazyLayers, never, RefStoreHome } from '../../../support/ref-store-home.js';
import { makeTempDir } from '../../../support/trees.js';

const files: readonly Readonly<Record<string, string>>[] = [
  { a: 'one layer' },
  { b: 'another layer' },
  { c: 'the last layer' },
];
const blobs = files.map((layer) => fakeLayer(layer));
const digests = blobs.map((data) => sha256(data));
const options = { description: 'pulled from test' };

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { code?: unknown; name: string }) => (typeof error.code === 'string' ? error.code : error.name),
  );

describe('lazy layers', () => {
  let root: string;
  let count = 0;
  let home: RefStoreHome;
  let dir: string;
  let registry: FakeRegistry;
  before(() => {
    root = makeTempDir();
  });
  after(() => fs.rm(root, { recursive: true }));
  beforeEach(async () => {
    dir = path.join(root, `${count++}`);
    home = await RefStoreHome.open(dir);
    registry = new FakeRegistry(blobs);
  });

  const pull = async (layers: readonly LazyLayer[] = lazyLayers(files, registry)): Promise<ImmutableRef> =>
    (await home.refs.fromLayers(layers, options))!;

  it('are not downloaded before the tree is needed', async () => {
    await using ref = await pull();
    expect([ref.lazy, registry.reads, await home.snapshotter.list()]).to.deep.equal([true, [], []]);
  });

  it('answer undefined for no layers', async () => {
    expect(await home.refs.fromLayers([], options)).to.equal(undefined);
  });

  it('become the tree, unpacked from the bottom up', async () => {
    await using ref = await pull();
    expect(await home.files(ref)).to.deep.equal(Object.assign({}, ...files));
    expect([ref.lazy, home.differ.applied]).to.deep.equal([false, digests]);
  });

  it('report a row for each download and each unpacking', async () => {
    await using ref = await pull();
    const progress = new RecordedProgress();
    await ref.mounts(progress, never);
    const rows = (prefix: string): readonly string[] =>
      progress.lines.filter((line) => line.startsWith(prefix));
    expect(rows('sha256:').filter((line) => line.endsWith(' done'))).to.have.members(
      digests.map((digest) => `${digest} done`),
    );
    expect([...new Set(rows('extracting'))]).to.deep.equal(
      digests.flatMap((digest) => [`extracting ${digest}`, `extracting ${digest} done`]),
    );
  });

  it('report to the step that named them', async () => {
    const named = new RecordedProgress();
    const asking = new RecordedProgress();
    const layers = lazyLayers(files, registry).map((layer) => ({ ...layer, progress: named }));
    await using ref = await pull(layers);
    await ref.mounts(asking, never);
    expect(asking.lines).to.deep.equal([]);
    expect(named.lines).to.include(`extracting ${digests[0]} done`);
  });

  it('are all asked for at once, and unpacked while others are on their way', async () => {
    const last = deferred<void>();
    registry.gate = async (digest) => {
      if (digest === digests[2]) await last.promise;
    };
    const unpacked = deferred<void>();
    home.differ.gate = async (layer) => {
      if (layer.digest === digests[1]) unpacked.resolve();
    };
    await using ref = await pull();
    const mounted = ref.mounts(silentProgress, never);
    await unpacked.promise;
    expect(registry.reads.map(({ digest }) => digest)).to.have.members(digests);
    last.resolve();
    await mounted;
  });

  it('share records of equal chains, whoever pulled them', async () => {
    await using one = await pull();
    await using two = await pull(lazyLayers([...files.slice(0, 2), { d: 'other top' }]));
    await home.files(one);
    expect(await home.files(two)).to.deep.include({ d: 'other top' });
    expect(home.differ.applied.length).to.equal(4);
    await using again = await pull();
    expect(again.id).to.equal(one.id);
  });

  it('are unpacked once for two that wait', async () => {
    await using ref = await pull();
    const [one, two] = [new RecordedProgress(), new RecordedProgress()];
    await Promise.all([ref.mounts(one, never), ref.mounts(two, never)]);
    expect(home.differ.applied).to.deep.equal(digests);
    expect(two.lines).to.include(`extracting ${digests[2]} done`);
  });

  it('go on for one that waits when the other gives up', async () => {
    const gate = deferred<void>();
    const started = deferred<void>();
    home.differ.gate = async () => {
      started.resolve();
      await gate.promise;
    };
    await using ref = await pull();
    const abort = new AbortController();
    const given = codeOf(ref.mounts(silentProgress, abort.signal));
    const waiting = ref.mounts(silentProgress, never);
    await started.promise;
    abort.abort();
    expect(await given).to.equal('AbortError');
    gate.resolve();
    await waiting;
    expect(home.differ.applied).to.deep.equal(digests);
  });

  it('stop when nobody waits any more, leave nothing half done, and start anew', async () => {
    const started = deferred<void>();
    home.differ.gate = (_layer, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        started.resolve();
      });
    await using ref = await pull();
    const abort = new AbortController();
    const given = codeOf(ref.mounts(silentProgress, abort.signal));
    await started.promise;
    abort.abort();
    await given;
    home.differ.gate = async () => {};
    await ref.mounts(silentProgress, never);
    expect((await home.snapshotter.list()).every(({ kind }) => kind === 'committed')).to.equal(true);
  });

  it('continue from another provider where one failed', async () => {
    const failing = new FakeRegistry(blobs);
    failing.gate = async (_digest, offset) => {
      if (offset >= 16) throw new Error('connection reset');
    };
    await using first = await pull();
    await using second = await pull(lazyLayers(files, failing));
    expect(second.id).to.equal(first.id);
    await second.mounts(silentProgress, never);
    expect(registry.reads).to.have.deep.members(digests.map((digest) => ({ digest, offset: 16 })));
  });

  it('are asked of who offered them last, whoever made the records', async () => {
    await using ref = await pull();
    const other = new FakeRegistry(blobs);
    home.refs.offerLayers(lazyLayers(files, other));
    await ref.mounts(silentProgress, never);
    expect([registry.reads.length, other.reads.length]).to.deep.equal([0, files.length]);
  });

  it('make no records when they are only offered', async () => {
    home.refs.offerLayers(lazyLayers(files, registry));
    expect(await home.refs.usage([])).to.deep.equal([]);
  });

  it('continue after a failure where it stopped', async () => {
    await using ref = await pull();
    registry.gate = async (_digest, offset) => {
      if (offset >= 8) throw new Error('connection reset');
    };
    expect(await codeOf(ref.mounts(silentProgress, never))).to.equal('Error');
    registry.gate = async () => {};
    registry.reads.splice(0);
    await ref.mounts(silentProgress, never);
    expect(registry.reads).to.deep.include({ digest: digests[0], offset: 8 });
  });

  it('are received anew when what an earlier attempt left is wrong', async () => {
    const wrong: ContentProvider = {
      async *read() {
        yield new Uint8Array(16);
        throw new Error('connection reset');
      },
    };
    await using ref = await pull(lazyLayers(files, wrong));
    expect(await codeOf(ref.mounts(silentProgress, never))).to.equal('Error');
    home.refs.offerLayers(lazyLayers(files, registry));
    await ref.mounts(silentProgress, never);
    expect(registry.reads).to.deep.include.members([
      { digest: digests[0], offset: 16 },
      { digest: digests[0], offset: 0 },
    ]);
  });

  it('refuse a layer that is not what its image says', async () => {
    const layers = lazyLayers(files, registry);
    const wrong = { ...layers[1]!, diffId: sha256('something else') };
    await using ref = await pull([layers[0]!, wrong]);
    expect(await codeOf(ref.mounts(silentProgress, never))).to.equal('ref.diff-id-mismatch');
    expect((await home.snapshotter.list()).length).to.equal(1);
  });

  it('are described as layers without being pulled, and read through the provider', async () => {
    await using ref = await pull();
    const { layers, provider } = await ref.layers(
      { compression: { type: 'gzip' }, mediaTypes: 'oci' },
      silentProgress,
      never,
    );
    expect(registry.reads).to.deep.equal([]);
    expect(layers.map(({ createdAt, description }) => [createdAt, description])).to.deep.equal([
      [1000, 'step 0'],
      [1001, 'step 1'],
      [1002, 'step 2'],
    ]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of provider.read(layers[0]!.descriptor, {}, never)) chunks.push(chunk);
    expect(sha256(Buffer.concat(chunks))).to.equal(digests[0]);
  });

  it('are pulled and packed again when another compression is forced', async () => {
    await using ref = await pull();
    const { layers } = await ref.layers(
      { compression: { type: 'zstd', force: true }, mediaTypes: 'oci' },
      silentProgress,
      never,
    );
    expect(layers.map(({ descriptor }) => descriptor.mediaType.split('+')[1])).to.deep.equal([
      'zstd',
      'zstd',
      'zstd',
    ]);
  });

  it('are unpacked before something is written on them', async () => {
    await using ref = await pull();
    await using child = await home.commit(ref, { z: '1' });
    expect(await home.files(child)).to.deep.equal({ ...Object.assign({}, ...files), z: '1' });
  });

  it('are forgotten at a restart when only the last process knew where to read them', async () => {
    await using ref = await pull();
    const next = await RefStoreHome.open(dir, home.kv);
    expect([next.refs.has(ref.id), await next.refs.usage([])]).to.deep.equal([false, []]);
  });

  it('outlive a restart once their blobs are here', async () => {
    await using ref = await pull();
    await ref.mounts(silentProgress, never);
    const next = await RefStoreHome.open(dir, home.kv);
    await using again = await next.refs.get(ref.id);
    expect([again.lazy, await next.files(again)]).to.deep.equal([false, Object.assign({}, ...files)]);
  });

  it('count as unpacked at a restart when only the record had not been told', async () => {
    await using ref = await pull(lazyLayers(files.slice(0, 1), registry));
    await home.snapshotter.prepare('w', undefined);
    await home.snapshotter.commit(ref.id, 'w');
    await home.content.writeBlob(blobs[0]!);
    const next = await RefStoreHome.open(dir, home.kv);
    await using again = await next.refs.get(ref.id);
    expect(again.lazy).to.equal(false);
  });

  it('are forgotten at a restart when their blob did not get to the disk, unpacked or not', async () => {
    await using ref = await pull(lazyLayers(files.slice(0, 1), registry));
    await home.snapshotter.prepare('w', undefined);
    await home.snapshotter.commit(ref.id, 'w');
    const next = await RefStoreHome.open(dir, home.kv);
    expect([next.refs.has(ref.id), await next.snapshotter.list()]).to.deep.equal([false, []]);
  });

  describe('with a differ that reads along', () => {
    let differ: FakeFollowingDiffer;
    beforeEach(async () => {
      const make = (content: ContentStore): FakeFollowingDiffer => {
        differ = new FakeFollowingDiffer(content);
        return differ;
      };
      home = await RefStoreHome.open(path.join(dir, 'along'), new MemoryKv(), {}, make);
    });

    it('are unpacked while they arrive, once the layer below is there', async () => {
      registry.gate = async (digest, offset) => {
        while (digest === digests[0] && !differ.seen.includes(offset)) await setImmediate();
      };
      await using ref = await pull();
      expect(await home.files(ref)).to.deep.equal(Object.assign({}, ...files));
      expect(differ.applied).to.deep.equal(digests);
    });

    it('are unpacked again from the blob when wrong bytes came first', async () => {
      const wrong: ContentProvider = {
        async *read() {
          yield Buffer.from(Buffer.from(blobs[0]!).toString().replace('one', 'two'));
        },
      };
      await using ref = await pull(lazyLayers(files.slice(0, 1), registry));
      home.refs.offerLayers(lazyLayers(files.slice(0, 1), wrong));
      expect(await home.files(ref)).to.deep.equal(files[0]);
      expect(differ.applied.length).to.equal(2);
      expect((await home.snapshotter.list()).length).to.equal(1);
    });

    it('are there before the disk has their blobs, and described by them all the same', async () => {
      const disk = deferred<void>();
      const { content } = home;
      const open = content.ingest.bind(content);
      content.ingest = async (...args) => {
        const ingest = await open(...args);
        const commit = ingest.commit.bind(ingest);
        ingest.commit = async (digest, onVerified) => {
          onVerified?.();
          await disk.promise;
          return commit(digest);
        };
        return ingest;
      };
      await using ref = await pull();
      await ref.mounts(silentProgress, never);
      expect([ref.lazy, await content.info(digests[0]!)]).to.deep.equal([false, undefined]);
      const described = ref.layers(
        { compression: { type: 'gzip' }, mediaTypes: 'oci' },
        silentProgress,
        never,
      );
      disk.resolve();
      const { layers } = await described;
      expect(layers.map(({ descriptor }) => descriptor.digest)).to.deep.equal(digests);
      expect(differ.compared).to.deep.equal([]);
    });
  });

  it('fail with a hint when nothing knows where to read them', async () => {
    const layers = lazyLayers(files.slice(0, 1), registry);
    await using ref = await pull(layers);
    await home.content.writeBlob(blobs[0]!);
    const next = await RefStoreHome.open(dir, home.kv);
    await next.content.remove(digests[0] as Digest);
    await using again = await next.refs.get(ref.id);
    expect(await codeOf(again.mounts(silentProgress, never))).to.equal('ref.no-provider');
  });
});
