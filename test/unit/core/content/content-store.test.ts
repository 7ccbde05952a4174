import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { BlobHolds } from '../../../../core/content/blob-holds.js';
import { LocalContentStore } from '../../../../core/content/content-store.js';
import { collectBlobs } from '../../../../core/content/garbage.js';
import { LocalLeases } from '../../../../core/content/leases.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { type Digest, hexOf, sha256 } from '../../../../core/util/digest.js';
import { contentStoreContract } from '../../../contract/content-store.js';

describe('content store', () => {
  let root: string;
  let count = 0;
  const dir = (): string => path.join(root, String(count++));
  before(async () => {
    root = await fs.mkdtemp(path.join(os.tmpdir(), 'content-'));
  });
  after(() => fs.rm(root, { recursive: true }));

  contentStoreContract('LocalContentStore', () => LocalContentStore.open(dir(), { kv: new MemoryKv() }));

  it('reads a small document from the disk once, as long as it is there', async () => {
    const store = await LocalContentStore.open(dir(), { kv: new MemoryKv() });
    const [small, large] = [
      await store.writeBlob(Buffer.from('{}')),
      await store.writeBlob(Buffer.alloc(100_000)),
    ];
    for (const digest of [small, large]) {
      await store.readBlob(digest);
      await fs.writeFile(store.path(digest), 'x');
    }
    expect(Buffer.from(await store.readBlob(small)).toString()).to.equal('{}');
    expect(Buffer.from(await store.readBlob(large)).toString()).to.equal('x');
    await store.remove(small);
    const code = await store.readBlob(small).catch((error: { code: string }) => error.code);
    expect(code).to.equal('content.not-found');
  });

  describe('LocalContentStore.open', () => {
    it('lets nobody else in', async () => {
      const at = dir();
      await LocalContentStore.open(at, { kv: new MemoryKv() });
      expect((await fs.stat(at)).mode & 0o777).to.equal(0o700);
    });

    it('removes files that no record names, and records without a file', async () => {
      const [at, kv] = [dir(), new MemoryKv()];
      const first = await LocalContentStore.open(at, { kv });
      const [kept, lost] = [
        await first.writeBlob(Buffer.from('kept')),
        await first.writeBlob(Buffer.from('lost')),
      ];
      await fs.rm(first.path(lost));
      const stray = path.join(at, 'blobs/sha256', hexOf(sha256('stray')));
      await fs.writeFile(stray, 'stray');
      const second = await LocalContentStore.open(at, { kv });
      expect(await second.info(lost)).to.equal(undefined);
      expect(await fs.readdir(path.dirname(stray))).to.deep.equal([hexOf(kept)]);
    });

    it('keeps young ingests for continuing and removes old ones and staged files', async () => {
      const [at, kv] = [dir(), new MemoryKv()];
      const signal = new AbortController().signal;
      const first = await LocalContentStore.open(at, { kv });
      await (await first.ingest({ key: 'a' }, signal))[Symbol.asyncDispose]();
      await first.stage();
      await LocalContentStore.open(at, { kv });
      expect((await fs.readdir(path.join(at, 'ingest'))).map((name) => path.extname(name))).to.deep.equal([
        '.part',
      ]);
      await LocalContentStore.open(at, { kv, keepIngestsMs: -1000 });
      expect(await fs.readdir(path.join(at, 'ingest'))).to.deep.equal([]);
    });
  });

  describe('collectBlobs', () => {
    it('keeps what is held, leased, pinned, rooted or referred to, and nothing else', async () => {
      const kv = new MemoryKv();
      const store = await LocalContentStore.open(dir(), { kv });
      const leases = await LocalLeases.open(kv);
      const holds = new BlobHolds(kv);
      const write = (name: string, labels?: Record<string, string>): Promise<Digest> =>
        store.writeBlob(Buffer.from(name), labels);
      const names = new Map<Digest, string>();
      for (const name of ['held', 'leased', 'pinned', 'referred', 'loose']) {
        names.set(await write(name), name);
      }
      const referred = sha256('referred');
      names.set(await write('root', { 'containerd.io/gc.root': 'now' }), 'root');
      await store.label(sha256('held'), { 'containerd.io/gc.ref.content.0': referred });
      await kv.write((batch) => holds.hold(batch, sha256('held'), 'ref:w/1'));
      const lease = await leases.create();
      await lease.holdBlob(sha256('leased'));
      await leases.pin('history:1', [sha256('pinned')]);
      const left = async (): Promise<string[]> => {
        const all: string[] = [];
        for await (const { digest } of store.list()) all.push(names.get(digest)!);
        return all.sort();
      };

      expect(await collectBlobs(store, holds, { keepSince: Date.now() - 60_000 })).to.deep.equal({
        blobs: 0,
        bytes: 0,
      });
      await collectBlobs(store, holds, { keepSince: Date.now() + 1 });
      expect(await left()).to.deep.equal(['held', 'leased', 'pinned', 'referred', 'root']);
      await lease[Symbol.asyncDispose]();
      await leases.unpin('history:1');
      await collectBlobs(store, holds, { keepSince: Date.now() + 1 });
      expect(await left()).to.deep.equal(['held', 'referred', 'root']);
    });

    it('keeps what was let go and has been found again since', async () => {
      const kv = new MemoryKv();
      const store = await LocalContentStore.open(dir(), { kv });
      const found = await store.writeBlob(Buffer.from('found'));
      const lost = await store.writeBlob(Buffer.from('lost'));
      // The second one was written last: both are older than the moment at which they are let go.
      const { createdAt } = (await store.info(lost))!;
      const letGo = new Map([found, lost].map((digest) => [digest, createdAt + 10]));
      while (Date.now() < createdAt + 10) await new Promise(setImmediate);
      // The next build takes it as it is.
      await store.writeBlob(Buffer.from('found'));
      await collectBlobs(store, new BlobHolds(kv), { keepSince: Date.now() - 60_000, letGo });
      expect(await store.info(lost)).to.equal(undefined);
      expect(await store.info(found)).not.to.equal(undefined);
    });

    it('forgets leases of a process that is gone and keeps pins', async () => {
      const kv = new MemoryKv();
      const first = await LocalLeases.open(kv);
      await (await first.create()).holdBlob(sha256('a'));
      await first.pin('p', [sha256('b')]);
      await LocalLeases.open(kv);
      const holds = new BlobHolds(kv);
      expect([holds.held(sha256('a')), holds.held(sha256('b'))]).to.deep.equal([false, true]);
    });
  });
});
