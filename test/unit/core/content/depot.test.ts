import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { LocalContentStore } from '../../../../core/content/content-store.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { sha256 } from '../../../../core/util/digest.js';
import { contentStoreContract } from '../../../contract/content-store.js';
import { FolderDepot } from './folder-depot.js';

describe('a content store with a depot', () => {
  let root: string;
  let count = 0;
  before(async () => {
    root = await fs.mkdtemp(path.join(os.tmpdir(), 'depot-'));
  });
  after(() => fs.rm(root, { recursive: true }));

  async function open(hands: boolean): Promise<{ store: LocalContentStore; depot: FolderDepot }> {
    const dir = path.join(root, String(count++));
    const store = await LocalContentStore.open(path.join(dir, 'own'), { kv: new MemoryKv() });
    const depot = new FolderDepot(path.join(dir, 'depot'));
    store.attach(depot, { hands });
    return { store, depot };
  }

  contentStoreContract('one that hands blobs over', async () => (await open(true)).store);
  contentStoreContract('one that does not', async () => (await open(false)).store);

  it('keeps new blobs there and nothing of them here, when it hands them over', async () => {
    const { store, depot } = await open(true);
    const digest = await store.writeBlob(Buffer.from('new'));
    expect(depot.get(digest)).to.include({ digest, size: 3 });
    expect(store.path(digest)).to.equal(depot.path(digest));
    const left = await fs.readdir(root, { recursive: true, withFileTypes: true });
    const files = left.filter((entry) => entry.isFile() && entry.parentPath.includes(`/${count - 1}/`));
    expect(files.map(({ name }) => name)).to.deep.equal([path.basename(depot.path(digest))]);
  });

  it('keeps new blobs here when it does not, and reads those that are there', async () => {
    const { store, depot } = await open(false);
    const file = path.join(root, 'there');
    await fs.writeFile(file, 'there');
    const there = sha256('there');
    await depot.put(file, { digest: there, size: 5, labels: {} });
    const here = await store.writeBlob(Buffer.from('here'));
    expect(depot.get(here)).to.equal(undefined);
    expect(Buffer.from(await store.readBlob(there)).toString()).to.equal('there');
    const listed: string[] = [];
    for await (const { digest } of store.list()) listed.push(digest);
    expect(listed.sort()).to.deep.equal([here, there].sort());
  });

  it('takes what others brought there for its own', async () => {
    const { store, depot } = await open(true);
    const digest = sha256('brought');
    depot.others.set(digest, { digest, size: 7, createdAt: 1, labels: {} });
    await using ingest = await store.ingest({ key: digest, size: 7 }, new AbortController().signal);
    expect(ingest.done).to.equal(true);
    expect(depot.get(digest)?.createdAt).to.be.greaterThan(1);
  });

  it('gives a removed blob up in both places', async () => {
    const { store, depot } = await open(false);
    const digest = await store.writeBlob(Buffer.from('twice'));
    await depot.put(store.path(digest), { digest, size: 5, labels: {} });
    expect(await store.remove(digest)).to.equal(true);
    expect(depot.get(digest)).to.equal(undefined);
    expect(await store.info(digest)).to.equal(undefined);
  });
});
