import { expect } from 'chai';
import fc from 'fast-check';
import type { Kv } from '../../core/contracts/kv.js';

/** What every {@link Kv} promises. `make` answers an empty store. */
export function kvContract(name: string, make: () => Promise<Kv>): void {
  describe(`${name} keeps the Kv contract`, () => {
    let kv: Kv;
    beforeEach(async () => {
      kv = await make();
    });
    afterEach(() => kv[Symbol.asyncDispose]());

    it('answers a write before it is durable', async () => {
      const table = kv.table<{ n: number }>('t');
      const written = kv.write((batch) => batch.put(table, 'a', { n: 1 }));
      expect(table.get('a')).to.deep.equal({ n: 1 });
      expect(table.has('a')).to.equal(true);
      expect([...table.entries()]).to.deep.equal([['a', { n: 1 }]]);
      await written;
      expect(table.get('a')).to.deep.equal({ n: 1 });
    });

    it('answers a removal before it is durable', async () => {
      const table = kv.table<number>('t');
      await kv.write((batch) => batch.put(table, 'a', 1));
      const removed = kv.write((batch) => batch.remove(table, 'a'));
      expect([table.get('a'), table.has('a'), [...table.entries()]]).to.deep.equal([undefined, false, []]);
      await removed;
      expect([table.get('a'), table.has('a'), [...table.entries()]]).to.deep.equal([undefined, false, []]);
    });

    it('discards everything when the change throws', async () => {
      const table = kv.table<number>('t');
      const failure = await kv
        .write((batch) => {
          batch.put(table, 'a', 1);
          throw new Error('no');
        })
        .catch((error: Error) => error.message);
      expect([failure, table.get('a')]).to.deep.equal(['no', undefined]);
    });

    it('discards everything when one value cannot be kept', async () => {
      const table = kv.table<unknown>('t');
      const circular: { self?: unknown } = {};
      circular.self = circular;
      const failed = await kv
        .write((batch) => {
          batch.put(table, 'a', 1);
          batch.put(table, 'b', name === 'MemoryKv' ? () => {} : circular);
        })
        .then(
          () => false,
          () => true,
        );
      expect([failed, table.get('a'), [...table.entries()]]).to.deep.equal([true, undefined, []]);
    });

    it('takes a value as it is when it is written', async () => {
      const table = kv.table<{ n: number }>('t');
      const value = { n: 1 };
      const written = kv.write((batch) => batch.put(table, 'a', value));
      value.n = 2;
      await written;
      expect(table.get('a')).to.deep.equal({ n: 1 });
    });

    it('keeps tables apart, also when one name is the beginning of another', async () => {
      const [one, other] = [kv.table<number>('t'), kv.table<number>('t2')];
      await kv.write((batch) => {
        batch.put(one, '2x', 1);
        batch.put(other, 'x', 2);
      });
      expect([[...one.entries()], [...other.entries()]]).to.deep.equal([[['2x', 1]], [['x', 2]]]);
    });

    it('lists by prefix in bytewise order', async () => {
      const table = kv.table<number>('t');
      const keys = ['b', 'ba', 'b/1', 'a', 'c', 'bé', 'b\u{1f600}', 'b\ufffd', 'b~'];
      await kv.write((batch) => {
        for (const [at, key] of keys.entries()) batch.put(table, key, at);
      });
      const expected = keys
        .filter((key) => key.startsWith('b'))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect([...table.entries('b')].map(([key]) => key)).to.deep.equal(expected);
    });

    it('keeps bytes, texts, nested values and empty ones', async () => {
      const table = kv.table<unknown>('t');
      const values = {
        bytes: new Uint8Array([0, 255, 10]),
        text: 'naïve \u{1f600}',
        nested: { list: [1, { deep: true }], bytes: new Uint8Array([1]) },
        empty: {},
        zero: 0,
        no: false,
      };
      await kv.write((batch) => {
        for (const [key, value] of Object.entries(values)) batch.put(table, key, value);
      });
      const plain = (value: unknown): unknown =>
        value instanceof Uint8Array
          ? [...value]
          : Array.isArray(value)
            ? value.map(plain)
            : typeof value === 'object' && value !== null
              ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
              : value;
      for (const [key, value] of Object.entries(values)) {
        expect(plain(table.get(key)), key).to.deep.equal(plain(value));
      }
    });

    it('refuses to write once it is closed', async () => {
      const table = kv.table<number>('t');
      await kv[Symbol.asyncDispose]();
      const failure = await kv
        .write((batch) => batch.put(table, 'a', 1))
        .catch((error: { code: string }) => error.code);
      expect(failure).to.equal('kv.closed');
    });

    it('agrees with a map under any series of concurrent writes', async () => {
      const key = fc.constantFrom('a', 'b', 'ba', 'bb', 'c', 'c0');
      const step = fc.record({ table: fc.constantFrom('x', 'y'), key, value: fc.option(fc.nat(9)) });
      const run = fc.array(fc.record({ steps: fc.array(step, { maxLength: 5 }), wait: fc.boolean() }), {
        maxLength: 12,
      });
      await fc.assert(
        fc.asyncProperty(run, async (writes) => {
          const model = new Map<string, number>();
          for (const name of ['x', 'y']) {
            const table = kv.table<number>(name);
            await kv.write((batch) => {
              for (const [old] of table.entries()) batch.remove(table, old);
            });
          }
          const open: Promise<void>[] = [];
          const check = (): void => {
            for (const name of ['x', 'y']) {
              const expected = [...model]
                .filter(([id]) => id.startsWith(`${name}:`))
                .map(([id, value]) => [id.slice(2), value])
                .sort(([a], [b]) => (a! < b! ? -1 : 1));
              expect([...kv.table<number>(name).entries()]).to.deep.equal(expected);
            }
          };
          for (const { steps, wait } of writes) {
            open.push(
              kv.write((batch) => {
                for (const { table, key: at, value } of steps) {
                  const target = kv.table<number>(table);
                  if (value === null) batch.remove(target, at);
                  else batch.put(target, at, value);
                }
              }),
            );
            for (const { table, key: at, value } of steps) {
              if (value === null) model.delete(`${table}:${at}`);
              else model.set(`${table}:${at}`, value);
            }
            check();
            if (wait) await open.at(-1);
            check();
          }
          await Promise.all(open);
          check();
        }),
        { numRuns: 40 },
      );
    });
  });
}
