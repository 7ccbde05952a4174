import { expect } from 'chai';
import type { CacheMountLayers } from '../../../core/contracts/cache.js';
import { type Progress, silentProgress, type Warning } from '../../../core/contracts/progress.js';
import type { ImmutableRef, RefLayers } from '../../../core/contracts/refs.js';
import type { CacheMount } from '../../../core/llb/ops/cache-mount-slot.js';
import { CacheMounts, type CacheSharing } from '../../../core/llb/ops/cache-mounts.js';
import { collect } from '../../../core/util/chunks.js';
import { fakeLayers } from '../../support/fake-refs.js';
import { FakeWorker } from '../../support/fake-worker.js';

const options = { compression: { type: 'gzip' }, mediaTypes: 'oci' } as const;
const never = new AbortController().signal;

describe('cache mounts that travel', () => {
  let worker: FakeWorker;
  let mounts: CacheMounts;
  beforeEach(() => {
    worker = new FakeWorker();
    mounts = new CacheMounts();
  });
  afterEach(() => expect(worker.refs.live).to.equal(0));

  interface Wish {
    readonly id?: string;
    readonly base?: ImmutableRef;
    readonly session?: string;
    readonly progress?: Progress;
    readonly signal?: AbortSignal;
  }
  const acquire = (sharing: CacheSharing, wish: Wish = {}): Promise<CacheMount> => {
    const { id = '/npm', base, session = 'mine', progress = silentProgress, signal = never } = wish;
    const sessions = { ids: () => [session] };
    return mounts.acquire(worker, { id, sharing, base, description: 'test', sessions }, progress, signal);
  };
  const filesOf = ({ ref }: CacheMount): unknown => Object.fromEntries(worker.refs.tree(ref));
  /** What a step finds. */
  async function found(sharing: CacheSharing, wish: Wish = {}): Promise<unknown> {
    await using mount = await acquire(sharing, wish);
    return filesOf(mount);
  }
  async function fill(files: Readonly<Record<string, string>>, wish: Wish = {}): Promise<void> {
    await using mount = await acquire('shared', wish);
    for (const [path, text] of Object.entries(files)) worker.refs.tree(mount.ref).set(path, text);
  }
  const imported = (files: Readonly<Record<string, string>>, based = false): CacheMountLayers => ({
    id: '/npm',
    based,
    layers: fakeLayers(Object.entries(files)),
  });
  const broken = (error: Error, before = () => {}): CacheMountLayers => {
    const mount = imported({});
    // biome-ignore lint/correctness/useYield: it breaks before its first byte.
    const read = async function* (): AsyncGenerator<Uint8Array> {
      before();
      throw error;
    };
    return { ...mount, layers: { ...mount.layers, provider: { read } } };
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  describe('when they are imported', () => {
    for (const sharing of ['shared', 'private', 'locked'] as const) {
      it(`${sharing}: are what the first step begins with`, async () => {
        mounts.offer('mine', [imported({ '/a': 'far' })]);
        expect(await found(sharing)).to.deep.equal({ '/a': 'far' });
      });
    }

    it('never replace what is here', async () => {
      await fill({ '/a': 'here' });
      mounts.offer('mine', [imported({ '/a': 'far', '/b': 'far' })]);
      expect(await found('shared')).to.deep.equal({ '/a': 'here' });
    });

    it('are kept: later builds find them without an import', async () => {
      const offer = mounts.offer('mine', [imported({ '/a': 'far' })]);
      await found('shared');
      offer[Symbol.dispose]();
      expect(await found('shared', { session: 'other' })).to.deep.equal({ '/a': 'far' });
    });

    it('are not read before a step needs them', async () => {
      let reads = 0;
      const mount = imported({ '/a': 'far' });
      const { layers, provider } = mount.layers;
      const read: typeof provider.read = (...args) => {
        reads++;
        return provider.read(...args);
      };
      mounts.offer('mine', [{ ...mount, layers: { layers, provider: { read } } }]);
      await found('shared', { id: '/other' });
      expect(reads).to.equal(0);
      await found('shared');
      expect(reads).to.equal(1);
    });

    it('are for steps of the builds that imported them', async () => {
      mounts.offer('mine', [imported({ '/a': 'far' })]);
      expect(await found('shared', { session: 'other' })).to.deep.equal({});
    });

    it('are there as long as those builds run', async () => {
      mounts.offer('mine', [imported({ '/a': 'far' })])[Symbol.dispose]();
      expect(await found('shared')).to.deep.equal({});
    });

    it('are not what a step without cache begins with', async () => {
      mounts.offer('mine', [imported({ '/a': 'far' })]);
      mounts.prune('/npm');
      expect(await found('shared')).to.deep.equal({});
    });

    it('are no copies for steps that want a tree of their own beside the first', async () => {
      mounts.offer('mine', [imported({ '/a': 'far' })]);
      await using first = await acquire('private');
      expect([filesOf(first), await found('private')]).to.deep.equal([{ '/a': 'far' }, {}]);
    });

    it('come onto the tree that the mount lies on', async () => {
      await using base = worker.refs.make({ '/base': 'b' });
      mounts.offer('mine', [imported({ '/a': 'whole' }), imported({ '/a': 'beyond' }, true)]);
      expect(await found('shared', { base })).to.deep.equal({ '/base': 'b', '/a': 'beyond' });
    });

    it('leave the mount empty and a warning when they cannot be read', async () => {
      mounts.offer('mine', [broken(new Error('the registry is gone'))]);
      const warnings: Warning[] = [];
      const progress = { ...silentProgress, warn: (warning: Warning) => void warnings.push(warning) };
      expect(await found('shared', { progress })).to.deep.equal({});
      expect(warnings.map(({ short, detail }) => [short, ...detail])).to.deep.equal([
        [
          'cache mount "/npm" begins empty: what was imported for it could not be read',
          'the registry is gone',
        ],
      ]);
    });

    it('end with the step that waits for them', async () => {
      const stop = new AbortController();
      const gone = new Error('no longer wanted');
      mounts.offer('mine', [broken(gone, () => stop.abort(gone))]);
      const error = await found('shared', { signal: stop.signal }).catch((reason: unknown) => reason);
      expect(error).to.equal(gone);
    });
  });

  describe('when they are packed', () => {
    const pack = (signal = never, id = '/npm', base?: string): Promise<RefLayers | undefined> =>
      mounts.pack(worker, { id, base }, options, silentProgress, signal);
    const text = async (layers: RefLayers | undefined): Promise<unknown> =>
      layers &&
      Object.fromEntries(
        JSON.parse(
          (await collect(layers.provider.read(layers.layers[0]!.descriptor, {}, never))).toString(),
        ) as [string, string][],
      );

    it('are known by their ids, with what they lie on', async () => {
      await using base = worker.refs.make({}, 'abcdefghijklmnopqrstuvwxy');
      await fill({}, { id: '/a:b' });
      await fill({}, { base });
      expect(mounts.known(worker)).to.have.deep.members([
        { id: '/a:b', base: undefined },
        { id: '/npm', base: base.id },
      ]);
      mounts.prune('/npm');
      expect(mounts.known(worker)).to.deep.equal([{ id: '/a:b', base: undefined }]);
    });

    it('are what the tree has, or has beyond what it lies on', async () => {
      await using base = worker.refs.make({ '/base': 'b' }, 'abcdefghijklmnopqrstuvwxy');
      await fill({ '/a': '1' });
      await fill({ '/b': '2' }, { base });
      expect([await text(await pack()), await text(await pack(never, '/npm', base.id))]).to.deep.equal([
        { '/a': '1' },
        { '/b': '2' },
      ]);
    });

    it('are nothing when there is no tree any more', async () => {
      expect(await pack()).to.equal(undefined);
    });

    for (const sharing of ['shared', 'private', 'locked'] as const) {
      it(`${sharing}: wait for the step that has the tree`, async () => {
        const step = await acquire(sharing);
        let done = false;
        const packing = pack().finally(() => {
          done = true;
        });
        await settle();
        expect(done).to.equal(false);
        worker.refs.tree(step.ref).set('/late', 'x');
        await step[Symbol.asyncDispose]();
        expect(await text(await packing)).to.deep.equal({ '/late': 'x' });
      });

      it(`${sharing}: are not written to meanwhile, and no second tree is made`, async () => {
        await fill({ '/a': '1' });
        const borrowing = pack();
        const next = acquire(sharing);
        expect(await text(await borrowing)).to.deep.equal({ '/a': '1' });
        const mount = await next;
        await mount[Symbol.asyncDispose]();
        expect(worker.refs.created).to.have.length(1);
      });
    }

    it('are no longer waited for when that is aborted', async () => {
      await using _step = await acquire('locked');
      const stop = new AbortController();
      const packing = pack(stop.signal);
      await settle();
      stop.abort(new Error('enough'));
      expect(await packing.catch(({ message }: Error) => message)).to.equal('enough');
    });
  });
});
