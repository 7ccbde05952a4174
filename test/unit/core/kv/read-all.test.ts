import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LmdbKv } from '../../../../core/kv/lmdb-kv.js';
import { type KvEntry, readAll } from '../../../../core/kv/read-all.js';

async function entriesOf(path: string): Promise<KvEntry[]> {
  const entries: KvEntry[] = [];
  for await (const entry of readAll(path)) entries.push(entry);
  return entries;
}

describe('reading a whole database', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'buildkit-read-all-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('answers every entry by table and key, also while the file is in use', async () => {
    const path = join(dir, 'x.mdb');
    await using kv = await LmdbKv.open(path, { schema: 7 });
    await kv.write((batch) => {
      batch.put(kv.table('b'), 'k', { n: 1 });
      batch.put(kv.table('a'), 'z', true);
      batch.put(kv.table('a'), 'y', Buffer.from('bytes'));
    });
    const [schema, ...entries] = await entriesOf(path);
    expect(schema).to.deep.equal({ table: '', key: 'schema', value: 7 });
    expect(entries.map(({ table, key }) => `${table} ${key}`)).to.deep.equal(['a y', 'a z', 'b k']);
    expect(entries[2]!.value).to.deep.equal({ n: 1 });
  });

  it('makes no file where there is none', async () => {
    const error = await entriesOf(join(dir, 'none.mdb')).catch((reason) => reason);
    expect(error.code).to.equal('kv.missing');
    expect(await entriesOf(join(dir, 'none.mdb')).catch((reason) => reason.code)).to.equal('kv.missing');
  });
});
