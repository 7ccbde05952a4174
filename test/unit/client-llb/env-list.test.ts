import { expect } from 'chai';
import fc from 'fast-check';
import { EnvList } from '../../../client/llb/env-list.js';
import { runs } from '../../support/seed.js';

describe('variables of states', () => {
  it('are those of a map that is copied for every change, whichever list is continued', () => {
    const step = fc.record({
      from: fc.nat(),
      key: fc.constantFrom('A', 'B', 'C', 'D'),
      value: fc.constantFrom('1', '2'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const lists: ReadonlyMap<string, string>[] = [new Map([['A', '0']])];
        const maps: ReadonlyMap<string, string>[] = [new Map([['A', '0']])];
        for (const { from, key, value } of steps) {
          // Mostly the last one, as in a Dockerfile.
          const at = from % 3 === 0 ? from % lists.length : lists.length - 1;
          lists.push(EnvList.set(lists[at]!, key, value));
          const map = new Map(maps[at]!);
          map.delete(key);
          maps.push(map.set(key, value));
        }
        expect(lists.map((list) => [...list])).to.deep.equal(maps.map((map) => [...map]));
        expect(lists.map(({ size }) => size)).to.deep.equal(maps.map(({ size }) => size));
        for (const key of ['A', 'B', 'C', 'D', 'E']) {
          expect(lists.map((list) => list.get(key))).to.deep.equal(maps.map((map) => map.get(key)));
          expect(lists.map((list) => list.has(key))).to.deep.equal(maps.map((map) => map.has(key)));
        }
      }),
      { numRuns: runs(50) },
    );
  });
});
