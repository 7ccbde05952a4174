import { expect } from 'chai';
import type { Snapshotter } from '../../../../../core/contracts/snapshotter.js';
import { LateSnapshotter } from '../../../../../plugins/workers/runc/late-snapshotter.js';

async function opened(driver: Partial<Snapshotter>): Promise<LateSnapshotter> {
  const late = new LateSnapshotter(async () => driver as Snapshotter);
  await late.open();
  return late;
}

describe('LateSnapshotter', () => {
  it('says of its driver whether it copies parents', async () => {
    expect((await opened({ copiesParents: true })).copiesParents).to.equal(true);
    expect((await opened({})).copiesParents).to.equal(false);
  });

  it('lets its driver remove many at once, or else one after the other', async () => {
    const many: (readonly string[])[] = [];
    const atOnce = async (keys: readonly string[]): Promise<void> => {
      many.push(keys);
    };
    await (await opened({ removeAll: atOnce })).removeAll(['a', 'b']);
    expect(many).to.deep.equal([['a', 'b']]);

    const single: string[] = [];
    const one = async (key: string): Promise<void> => {
      single.push(key);
    };
    await (await opened({ remove: one })).removeAll(['a', 'b']);
    expect(single).to.deep.equal(['a', 'b']);
  });
});
