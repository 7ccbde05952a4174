import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { LocalContentStore } from '../../../core/content/content-store.js';
import { StackDiffer } from '../../../core/content/layer/stack-differ.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Snapshotter } from '../../../core/contracts/snapshotter.js';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { sha256 } from '../../../core/util/digest.js';
import { newId } from '../../../core/util/identity.js';
import { ContainerdDepot } from '../../../plugins/workers/containerd/blob-depot.js';
import type { Containerd } from '../../../plugins/workers/containerd/containerd-client.js';
import { ContainerdSnapshotter } from '../../../plugins/workers/containerd/containerd-snapshotter.js';
import { GarbageRuns } from '../../../plugins/workers/containerd/garbage-runs.js';
import { Leases } from '../../../proto/containerd.js';
import { newerContainerd } from '../../../scripts/lib/containerd.mjs';
import { contentStoreContract } from '../../contract/content-store.js';
import { differContract } from '../../contract/differ.js';
import { snapshotterContract } from '../../contract/snapshotter.js';
import { overWorkers } from '../support/over-workers.js';
import { PrivateContainerd } from './private-containerd.js';

overWorkers(
  'containerd as a store',
  ({ name }) => suite(name === 'containerd-1.7' ? newerContainerd : undefined),
  { workers: ['containerd', 'containerd-1.7'] },
);

function suite(bin: string | undefined): void {
  let server: PrivateContainerd;
  let home: string;
  const clients: Containerd[] = [];

  before(async () => {
    server = await PrivateContainerd.start(bin);
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'containerd-stores-'));
  });
  after(async () => {
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await server[Symbol.asyncDispose]();
    fs.rmSync(home, { recursive: true, force: true });
  });

  /** In a namespace of its own, so that every test begins with nothing. */
  const connect = async (namespace = newId()): Promise<Containerd> => {
    const client = server.connect(namespace);
    clients.push(client);
    await client.call(Leases.Create, { id: client.lease });
    return client;
  };
  const openDepot = async (containerd: Containerd): Promise<ContainerdDepot> => {
    const depot = new ContainerdDepot({ containerd, garbage: new GarbageRuns(containerd, silentLogger) });
    await depot.open(path.join(server.dir, 'root/io.containerd.content.v1.content'));
    return depot;
  };
  const openStore = async (containerd: Containerd): Promise<LocalContentStore> => {
    const store = await LocalContentStore.open(path.join(home, newId()), { kv: new MemoryKv() });
    store.attach(await openDepot(containerd), { hands: true });
    return store;
  };

  // A namespace does not isolate bytes that others have committed: blobs are made anew by what the suite writes.
  contentStoreContract('a store with containerd as its depot', async () => openStore(await connect()));

  differContract('a differ whose blobs containerd keeps', async () => {
    const threads = new ThreadPool();
    const content = await openStore(await connect());
    return {
      differ: new StackDiffer({ content, threads }),
      content,
      compressions: ['uncompressed', 'gzip', 'zstd'],
      [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
    };
  });

  for (const name of ['overlayfs', 'native']) {
    snapshotterContract(`containerd's ${name} snapshotter`, async () => {
      const containerd = await connect();
      const garbage = new GarbageRuns(containerd, silentLogger);
      return looked(new ContainerdSnapshotter({ containerd, garbage, name, workerId: () => 'w' }), garbage);
    });
  }

  it('keeps blobs where ctr sees them, over its own restarts and garbage collections', async () => {
    const containerd = await connect();
    const { namespace } = containerd.address;
    const store = await openStore(containerd);
    const text = `kept in ${namespace}`;
    const digest = await store.writeBlob(Buffer.from(text), { 'a.b/c': 'd' });
    expect(server.ctr(namespace, 'content', 'get', digest)).to.equal(text);
    await new GarbageRuns(containerd, silentLogger).run();
    const again = await openStore(containerd);
    expect(Buffer.from(await again.readBlob(digest)).toString()).to.equal(text);
    expect((await again.info(digest))?.labels).to.include({ 'a.b/c': 'd' });
  });

  it('finds what others brought, and lets go what is removed', async () => {
    const containerd = await connect();
    const { namespace } = containerd.address;
    const store = await openStore(containerd);
    const other = await openStore(await connect());
    const digest = await store.writeBlob(Buffer.from(`brought to ${namespace}`));
    expect(await other.info(digest)).to.equal(undefined);
    expect(await store.remove(digest)).to.equal(true);
    await new GarbageRuns(containerd, silentLogger).run();
    expect(() => server.ctr(namespace, 'content', 'get', digest)).to.throw('not found');
    const file = path.join(home, 'ingested');
    fs.writeFileSync(file, `ingested ${namespace}`);
    const brought = sha256(fs.readFileSync(file));
    server.ctr(namespace, 'leases', 'create', '--id', 'other');
    const args = ['content', 'ingest', '--expected-digest', brought, 'ref'];
    ingest(server, namespace, args, file);
    expect(await store.info(brought)).to.include({ digest: brought });
    expect(Buffer.from(await store.readBlob(brought)).toString()).to.equal(`ingested ${namespace}`);
    await new GarbageRuns(containerd, silentLogger).run();
    expect(server.ctr(namespace, 'content', 'get', brought)).to.equal(`ingested ${namespace}`);
  });

  it('connects anew when containerd was restarted', async () => {
    const containerd = await connect();
    const store = await openStore(containerd);
    const before = await store.writeBlob(Buffer.from(`before in ${containerd.address.namespace}`));
    await server.restart();
    const after = await store.writeBlob(Buffer.from(`after in ${containerd.address.namespace}`));
    expect(await store.info(before)).to.include({ digest: before });
    expect(await store.info(after)).to.include({ digest: after });
  });
}

/** The suite looks at the disk after a removal: that is when containerd has collected. */
const looked = (inner: ContainerdSnapshotter, garbage: GarbageRuns): Snapshotter => ({
  name: inner.name,
  copiesParents: inner.copiesParents,
  prepare: (key, parent) => inner.prepare(key, parent),
  mounts: (key) => inner.mounts(key),
  commit: (name, key) => inner.commit(name, key),
  stat: (key) => inner.stat(key),
  usage: (key, signal) => inner.usage(key, signal),
  list: () => inner.list(),
  async remove(key) {
    await inner.remove(key);
    await garbage.run();
  },
});

function ingest(server: PrivateContainerd, namespace: string, args: readonly string[], file: string): void {
  const input = fs.openSync(file, 'r');
  try {
    server.ctrWith(input, namespace, ...args);
  } finally {
    fs.closeSync(input);
  }
}
