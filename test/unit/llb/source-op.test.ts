import { expect } from 'chai';
import type { Source } from '../../../core/contracts/source.js';
import { SourceOp } from '../../../core/llb/ops/source.js';
import { sha256 } from '../../../core/util/digest.js';
import { FakeWorker } from '../../support/fake-worker.js';
import { contributions, loadNested, opContext } from './services.js';

describe('SourceOp', () => {
  const worker = new FakeWorker();
  const tree = worker.refs.make({});
  const keys = ['session:x', 'second'];
  const source: Source = {
    open: () => ({
      cacheKey: async (index) => ({ key: keys[index] ?? '', done: index === 1 }),
      fetch: async (context) => (context.worker === worker ? tree : undefined),
    }),
  };
  const op = new SourceOp(
    { kind: 'source', identifier: 'git://host/repo', attrs: {} },
    {
      name: 'git',
      bytes: new Uint8Array(),
      metadata: { ignoreCache: false, description: {}, caps: [] },
      inputCount: 0,
      platform: { os: 'linux', architecture: 'amd64' },
      worker,
      loadNested,
    },
    contributions({ git: source }),
  );

  it('asks its source for one key after the other', async () => {
    const first = await op.cacheMap(0, opContext());
    const second = await op.cacheMap(1, opContext());
    expect(first.done).to.equal(false);
    expect(first.map.digest).to.match(/^random:/);
    expect(second).to.deep.equal({
      map: { digest: sha256('buildkit.source.v0:second'), deps: [] },
      done: true,
    });
  });

  it('fetches on its worker', async () => {
    expect(await op.exec([], opContext())).to.deep.equal([tree]);
  });
});
