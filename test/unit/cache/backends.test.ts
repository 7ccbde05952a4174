import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LayoutStore } from '../../../client/session/layout-store.js';
import type { CacheContext } from '../../../core/contracts/cache.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ClientContent } from '../../../core/contracts/session.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { sha256 } from '../../../core/util/digest.js';
import { localCache } from '../../../plugins/cache/local/local-cache.js';
import { RegistryCache } from '../../../plugins/cache/registry/registry-cache.js';
import { cacheContract } from '../../contract/cache.js';
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
