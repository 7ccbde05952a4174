import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LayoutStore } from '../../../client/session/layout-store.js';
import type { CacheContext } from '../../../core/contracts/cache.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ClientContent } from '../../../core/contracts/session.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { sha256 } from '../../../core/util/digest.js';
import { localCache } from '../../../plugins/cache/local/local-cache.js';
import { RegistryCache } from '../../../plugins/cache/registry/registry-cache.js';
import { cacheContract, cacheRecords } from '../../contract/cache.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions } from '../../support/fake-session.js';

const context = (stores: Readonly<Record<string, ClientContent>> = {}): CacheContext => {
  const session = fakeSession({ stores });
  return { session: async () => session, sessions: { ids: () => [session.id] }, progress: silentProgress };
};

const digestOf = (descriptor: string): string => (JSON.parse(descriptor) as { digest: string }).digest;

describe('cache backends', () => {
  describe('registry', () => {
    let registry: FakeRegistry;
    let client: RegistryClient;
    before(async () => {
      registry = await FakeRegistry.start();
      const hosts = { [registry.host]: { http: true } };
      client = new RegistryClient({ hosts, sessions: fakeSessions(fakeSession()), logger: silentLogger });
    });
    after(async () => {
      await client[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    });

    let next = 0;
    for (const attrs of [{}, { 'image-manifest': 'false' }, { 'oci-mediatypes': 'false' }]) {
      cacheContract(`a registry with ${JSON.stringify(attrs)}`, () => {
        const ref = `${registry.host}/cache/x${next++}`;
        return {
          backend: new RegistryCache(client),
          context: context(),
          exportAttrs: { ref, ...(attrs as Record<string, string>) },
          importAttrs: () => ({ ref }),
        };
      });
    }

    it('names what could not be pushed, and why', async () => {
      const ref = `${registry.host}/cache/denied:1`;
      registry.trouble('/cache/denied/', 9, (response) =>
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end(),
      );
      const { signal } = new AbortController();
      const exported = new RegistryCache(client).exporter({ ref }).export(cacheRecords(), context(), signal);
      const error = await exported.catch((reason) => reason);
      expect([error.grpcCode, error.message]).to.deep.equal([
        'PermissionDenied',
        `failed to push ${ref}: push access denied: the registry wants a user name and a password`,
      ]);
    });
  });

  describe('local', () => {
    let dir: string;
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'local-cache-'));
    });
    afterEach(() => rm(dir, { recursive: true }));

    cacheContract('a folder of the client', () => ({
      backend: localCache,
      context: context({ 'local:cache': new LayoutStore(dir, { writable: true }) }),
      exportAttrs: { dest: 'cache' },
      importAttrs: (response) => ({
        src: 'cache',
        digest: response['cache.manifest'] ? digestOf(response['cache.manifest']) : sha256('none'),
      }),
    }));
  });
});
