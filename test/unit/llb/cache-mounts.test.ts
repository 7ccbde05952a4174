import { expect } from 'chai';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { CacheMount } from '../../../core/llb/ops/cache-mount-slot.js';
import { CacheMounts, type CacheSharing } from '../../../core/llb/ops/cache-mounts.js';
import { FakeWorker } from '../../support/fake-worker.js';

describe('CacheMounts', () => {
  let worker: FakeWorker;
  let mounts: CacheMounts;

  beforeEach(() => {
    worker = new FakeWorker();
    mounts = new CacheMounts();
  });

  const acquire = (
    sharing: CacheSharing,
    {
      id = 'go',
      base,
      signal = new AbortController().signal,
    }: { id?: string; base?: ImmutableRef; signal?: AbortSignal } = {},
  ): Promise<CacheMount> =>
    mounts.acquire(worker, { id, sharing, base, description: 'test' }, silentProgress, signal);
  const release = (mount: CacheMount): PromiseLike<void> => mount[Symbol.asyncDispose]();
  /** Lets everything that can go on go on. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  for (const sharing of ['shared', 'private', 'locked'] as const) {
    it(`${sharing}: finds the tree of an earlier step`, async () => {
      const first = await acquire(sharing);
      await release(first);
      const second = await acquire(sharing);
      expect(second.ref.id).to.equal(first.ref.id);
      await release(second);
      expect(worker.refs.live).to.equal(0);
    });
  }

  it('shared: gives several steps one tree, until the last has left', async () => {
    const [first, second] = await Promise.all([acquire('shared'), acquire('shared')]);
    expect(second.ref).to.equal(first.ref);
    await release(first);
    const third = await acquire('shared');
    expect(third.ref).to.equal(first.ref);
    await release(second);
    await release(third);
    expect(worker.refs.live).to.equal(0);
  });

  it('shared: a step that comes while the last leaves gets the same tree', async () => {
    const first = await acquire('shared');
    const leaving = release(first);
    const next = await acquire('shared');
    await leaving;
    expect(next.ref.id).to.equal(first.ref.id);
  });

  it('shared: a step that came just before the last leaves gets the same tree', async () => {
    const first = await acquire('shared');
    const coming = acquire('shared');
    const leaving = release(first);
    const next = await coming;
    await leaving;
    expect(next.ref.id).to.equal(first.ref.id);
    await release(next);
    expect(worker.refs.live).to.equal(0);
  });

  it('private: makes another tree when the first is taken', async () => {
    const [first, second] = await Promise.all([acquire('private'), acquire('private')]);
    expect(second.ref.id).not.to.equal(first.ref.id);
  });

  it('locked: waits for the tree', async () => {
    const first = await acquire('locked');
    let second: CacheMount | undefined;
    const waiting = acquire('locked').then((mount) => {
      second = mount;
    });
    await settle();
    expect(second).to.equal(undefined);
    await release(first);
    await waiting;
    expect(second?.ref.id).to.equal(first.ref.id);
  });

  it('locked: never lets two of many in at once', async () => {
    let inside = 0;
    const step = async (): Promise<number> => {
      const mount = await acquire('locked');
      const count = ++inside;
      await settle();
      inside--;
      await release(mount);
      return count;
    };
    expect(await Promise.all(Array.from({ length: 20 }, step))).to.deep.equal(Array(20).fill(1));
    expect(worker.refs.created).to.have.length(1);
  });

  it('locked: stops waiting when it is aborted, and leaves the tree to others', async () => {
    const first = await acquire('locked');
    const abort = new AbortController();
    const waiting = acquire('locked', { signal: abort.signal });
    abort.abort(new Error('no longer wanted'));
    const error = await waiting.catch((reason: Error) => reason);
    expect(error).to.have.property('message', 'no longer wanted');
    await release(first);
    expect((await acquire('locked')).ref.id).to.equal(first.ref.id);
  });

  it('keeps trees on different bases apart, and starts from the base', async () => {
    const base = worker.refs.make({ '/a': 'base' });
    const bare = await acquire('shared');
    const based = await acquire('shared', { base });
    expect(worker.refs.created.map(({ parent, options }) => [parent, options.index])).to.deep.equal([
      [undefined, 'cachemount:go'],
      [base.id, `cachemount:go:${base.id}`],
    ]);
    expect(based.ref.id).not.to.equal(bare.ref.id);
  });

  it('records trees as cache mounts', async () => {
    await acquire('shared');
    expect(worker.refs.created[0]?.options).to.deep.equal({
      description: 'test',
      type: 'exec.cachemount',
      index: 'cachemount:go',
    });
  });

  it('prune forgets a free tree', async () => {
    const first = await acquire('private');
    await release(first);
    mounts.prune('go');
    expect((await acquire('private')).ref.id).not.to.equal(first.ref.id);
  });

  it('prune leaves a tree to those who have it, and gives later steps another', async () => {
    const first = await acquire('shared');
    mounts.prune('go');
    const second = await acquire('shared');
    expect(second.ref.id).not.to.equal(first.ref.id);
    expect((await acquire('shared')).ref).to.equal(second.ref);
  });
});
