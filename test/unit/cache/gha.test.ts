import { expect } from 'chai';
import { silentProgress } from '../../../core/contracts/progress.js';
import { sha256 } from '../../../core/util/digest.js';
import { ghaCache } from '../../../plugins/cache/gha/gha-cache.js';
import { cacheContract, cacheRecords } from '../../contract/cache.js';
import { fakeSession } from '../../support/fake-session.js';
import { GhaServer } from '../../support/gha-server.js';

const { signal } = new AbortController();
const context = { session: async () => fakeSession(), sessions: { ids: () => [] }, progress: silentProgress };

const scopes = [
  { Scope: 'refs/heads/main', Permission: 1 },
  { Scope: 'refs/heads/work', Permission: 3 },
];
const token = (claims: object): string =>
  ['{}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
const own = token({ ac: JSON.stringify(scopes) });

describe('gha cache', () => {
  let server: GhaServer;
  beforeEach(async () => {
    server = await GhaServer.start();
  });
  afterEach(() => server[Symbol.asyncDispose]());
  const place = (name: 'url' | 'url_v2'): Readonly<Record<string, string>> => ({
    [name]: server.url,
    token: own,
  });
  const put = (attrs = {}): Promise<unknown> =>
    ghaCache.exporter!({ ...place('url_v2'), ...attrs }).export(cacheRecords(), context, signal);

  for (const name of ['url', 'url_v2'] as const) {
    cacheContract(`gha behind ${name}`, () => ({
      backend: ghaCache,
      context,
      exportAttrs: place(name),
      importAttrs: () => place(name),
    }));
  }

  const index = (scope: string): string => `index-buildkit-1-${sha256(scope).slice(7, 15)}`;

  it('writes an index of the scope that the token may write, and a new one each time', async () => {
    await put();
    await put();
    expect(server.keys.filter((key) => key.startsWith('index'))).to.deep.equal([
      `${index('refs/heads/work')}#1`,
      `${index('refs/heads/work')}#2`,
    ]);
    expect(server.keys).to.include(`buildkit-blob-1-${sha256('layer one')}`);
  });

  it('takes the next number when somebody else is writing an index', async () => {
    const key = `${index('refs/heads/work')}#1`;
    server.entries.push({ key, blocks: new Map(), data: Buffer.alloc(0), done: false });
    await put();
    expect(server.keys).to.include(`${index('refs/heads/work')}#2`);
  });

  it('imports what other scopes of the token have', async () => {
    const main = token({ ac: JSON.stringify([{ Scope: 'refs/heads/main', Permission: 3 }]) });
    await put({ token: main });
    const records = await ghaCache.importer!(place('url_v2')).import(context, signal);
    expect(records).to.have.length(4);
  });

  it('keeps caches of different scopes of a build apart', async () => {
    await put({ scope: 'other' });
    expect(await ghaCache.importer!(place('url_v2')).import(context, signal)).to.deep.equal([]);
  });

  it('says what is missing', () => {
    const open = (attrs: Readonly<Record<string, string>>) => (): unknown => ghaCache.importer!(attrs);
    expect(open({})).to.throw('token not set for github actions cache');
    expect(open({ token: own })).to.throw('url not set for github actions cache');
    expect(open({ token: 'x', url: 'http://x' })).to.throw('the token says nothing');
  });
});
