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

describe('SnapshotRemoval', () => {
  it('removes in one piece, and in order, what came while it was removing', async () => {
    const { calls, open, snapshotter } = gatedSnapshotter();
    const removal = new SnapshotRemoval(snapshotter);
    const first = removal.remove(written, ['a']);
    await new Promise(setImmediate);
    const rest = ['b', 'c', 'd'].map((key) => removal.remove(written, [key]));
    open();
    await Promise.all([first, ...rest]);
    expect(calls).to.deep.equal([['a'], ['b', 'c', 'd']]);
  });

  it('leaves the snapshot of a record that is still written down, and tells its caller only', async () => {
    const { calls, open, snapshotter } = gatedSnapshotter();
    open();
    const removal = new SnapshotRemoval(snapshotter);
    const [kept, gone] = await Promise.allSettled([
      removal.remove(Promise.reject(new Error('disk full')), ['a']),
      removal.remove(written, ['b']),
    ]);
    expect(kept).to.have.property('status', 'rejected');
    expect(gone).to.have.property('status', 'fulfilled');
    expect(calls).to.deep.equal([['b']]);
  });

  it('goes on after a snapshotter that failed', async () => {
    const removed: string[] = [];
    const remove = async (key: string): Promise<void> => {
      if (key === 'bad') throw new Error('busy');
      removed.push(key);
    };
    const removal = new SnapshotRemoval({ remove } as unknown as Snapshotter);
    const failure = await removal.remove(written, ['bad']).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'busy');
    await removal.remove(written, ['good']);
    expect(removed).to.deep.equal(['good']);
  });
});
