import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { LmdbKv } from '../../../../core/kv/lmdb-kv.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { kvContract } from '../../../contract/kv.js';

describe('key-value stores', () => {
  let dir: string;
  let count = 0;
  before(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'kv-'));
  });
  after(() => fs.rm(dir, { recursive: true }));

  kvContract('MemoryKv', async () => new MemoryKv());
  kvContract('LmdbKv', () => LmdbKv.open(path.join(dir, `${count++}.db`)));

  describe('LmdbKv', () => {
    const rejection = (opening: Promise<LmdbKv>): Promise<Error> =>
      opening.then(
        () => expect.fail('opened'),
        (error) => error as Error,
      );

    it('finds everything again when it is opened the next time', async () => {
      const file = path.join(dir, 'again.db');
      {
        await using kv = await LmdbKv.open(file);
        const table = kv.table<number>('t');
        void kv.write((batch) => batch.put(table, 'a', 1));
        void kv.write((batch) => batch.put(table, 'b', 2));
      }
      await using kv = await LmdbKv.open(file);
      expect([...kv.table<number>('t').entries()]).to.deep.equal([
        ['a', 1],
        ['b', 2],
      ]);
    });

    it('lets nobody else read the file', async () => {
      const file = path.join(dir, 'own.db');
      await (await LmdbKv.open(file))[Symbol.asyncDispose]();
      expect((await fs.stat(file)).mode & 0o777).to.equal(0o600);
    });

    it('refuses a file of another schema, saying which way it is off', async () => {
      const file = path.join(dir, 'schema.db');
      await (await LmdbKv.open(file, { schema: 2 }))[Symbol.asyncDispose]();
      expect(await rejection(LmdbKv.open(file, { schema: 1 })))
        .to.include({ code: 'kv.schema' })
        .and.property('hint')
        .that.contains('newer');
      expect(await rejection(LmdbKv.open(file, { schema: 3 })))
        .property('hint')
        .that.contains('older');
    });

    it('refuses a file that is no database and leaves it alone', async () => {
      const file = path.join(dir, 'text.db');
      await fs.writeFile(file, 'hello '.repeat(2000));
      expect(await rejection(LmdbKv.open(file))).to.include({ code: 'kv.unreadable' });
      expect((await fs.readFile(file, 'utf8')).slice(0, 5)).to.equal('hello');
    });

    it('names table and key of a key that is too long', async () => {
      await using kv = await LmdbKv.open(path.join(dir, 'long.db'));
      const table = kv.table<number>('t');
      const error = await kv
        .write((batch) => batch.put(table, 'k'.repeat(3000), 1))
        .catch((failure: Error) => failure);
      expect(error).to.include({ code: 'kv.key' });
    });
  });
});
