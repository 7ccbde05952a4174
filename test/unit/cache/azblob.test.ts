import { expect } from 'chai';
import { silentProgress } from '../../../core/contracts/progress.js';
import { sha256 } from '../../../core/util/digest.js';
import { AzblobCache } from '../../../plugins/cache/azblob/azblob-cache.js';
import { cacheContract, cacheRecords } from '../../contract/cache.js';
import { AzblobServer } from '../../support/azblob-server.js';
import { fakeSession } from '../../support/fake-session.js';

const { signal } = new AbortController();
const context = { session: async () => fakeSession(), sessions: { ids: () => [] }, progress: silentProgress };

describe('azblob cache', () => {
  let server: AzblobServer;
  beforeEach(async () => {
    server = await AzblobServer.start();
  });
  afterEach(() => server[Symbol.asyncDispose]());
  const place = (): Readonly<Record<string, string>> => ({
    account_url: server.url,
    account_name: server.account,
    secret_access_key: server.key,
  });

  cacheContract('azblob', () => ({
    backend: new AzblobCache({}),
    context,
    exportAttrs: place(),
    importAttrs: place,
  }));

  it('makes its container, and writes where others look', async () => {
    const attrs = { ...place(), prefix: 'p', name: 'a;b' };
    await new AzblobCache({}).exporter(attrs).export(cacheRecords(), context, signal);
    expect([...server.containers]).to.deep.equal(['/buildkit-cache']);
    expect([...server.blobs.keys()]).to.include.members([
      '/buildkit-cache/p/manifests/a',
      '/buildkit-cache/p/manifests/b',
      `/buildkit-cache/p/blobs/${sha256('layer one')}`,
    ]);
  });

  it('is refused with another key', async () => {
    const attrs = { ...place(), secret_access_key: Buffer.from('wrong').toString('base64') };
    const error = await new AzblobCache({})
      .exporter(attrs)
      .export(cacheRecords(), context, signal)
      .catch((reason: unknown) => reason);
    expect(String(error)).to.contain('403');
  });

  it('says what is missing', () => {
    const open = (attrs: Readonly<Record<string, string>>) => (): unknown =>
      new AzblobCache({}).importer(attrs);
    expect(open({})).to.throw('account_url attribute is required for azblob cache');
    expect(open({ account_url: 'https://acme.blob.example.com' })).to.throw('no secret_access_key');
  });
});
