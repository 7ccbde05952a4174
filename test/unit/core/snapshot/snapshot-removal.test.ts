import { expect } from 'chai';
import type { Snapshotter } from '../../../../core/contracts/snapshotter.js';
import { SnapshotRemoval } from '../../../../core/snapshot/snapshot-removal.js';
import { deferred } from '../../../../core/util/deferred.js';

/** Removes nothing before it is let. */
function gatedSnapshotter() {
  const gate = deferred<void>();
  const calls: (readonly string[])[] = [];
  const removeAll = async (keys: readonly string[]): Promise<void> => {
    calls.push(keys);
    await gate.promise;
  };
  return { calls, open: () => gate.resolve(), snapshotter: { removeAll } as unknown as Snapshotter };
}

const written = Promise.resolve();
const never = (): never => {
  throw new Error('it is written off already');
};

describe('SnapshotRemoval', () => {
  it('removes in one piece, and in order, what came while it was removing', async () => {
    const { calls, open, snapshotter } = gatedSnapshotter();
    const removal = new SnapshotRemoval(snapshotter);
    const first = removal.remove(written, ['a'], never);
    await new Promise(setImmediate);
    const rest = ['b', 'c', 'd'].map((key) => removal.remove(written, [key], never));
    open();
    await Promise.all([first, ...rest]);
    expect(calls).to.deep.equal([['a'], ['b', 'c', 'd']]);
  });

  it('writes a record off again once its snapshot has made room, and tells its caller only if that fails', async () => {
    const { calls, open, snapshotter } = gatedSnapshotter();
    open();
    const removal = new SnapshotRemoval(snapshotter);
    const full = (): Promise<void> => Promise.reject(new Error('disk full'));
    const outcomes = await Promise.allSettled([
      removal.remove(full(), ['a'], async () => {
        expect(calls[0]).to.deep.equal(['a']);
      }),
      removal.remove(full(), ['b'], full),
      removal.remove(written, ['c'], never),
    ]);
    expect(calls).to.deep.equal([['a'], ['b', 'c']]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('goes on after a snapshotter that failed', async () => {
    const removed: string[] = [];
    const remove = async (key: string): Promise<void> => {
      if (key === 'bad') throw new Error('busy');
      removed.push(key);
    };
    const removal = new SnapshotRemoval({ remove } as unknown as Snapshotter);
    const failure = await removal.remove(written, ['bad'], never).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'busy');
    await removal.remove(written, ['good'], never);
    expect(removed).to.deep.equal(['good']);
  });
});
