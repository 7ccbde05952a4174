/** The azblob cache over Azurite, which is Azure's own emulator: it checks signatures, lengths and block lists as Azure does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { silentProgress } from '../../../core/contracts/progress.js';
import { AzblobCache } from '../../../plugins/cache/azblob/azblob-cache.js';
import { AzblobClient } from '../../../plugins/cache/azblob/azblob-client.js';
import { readAzblobOptions } from '../../../plugins/cache/azblob/azblob-options.js';
import { CacheAttributes } from '../../../plugins/cache/shared/attributes.js';
import { azurite } from '../../../scripts/lib/azurite.mjs';
import { cacheContract, cacheRecords } from '../../contract/cache.js';
import { collect } from '../../support/fake-registry.js';
import { fakeSession } from '../../support/fake-session.js';

const { signal } = new AbortController();
const context = { session: async () => fakeSession(), sessions: { ids: () => [] }, progress: silentProgress };
const key = Buffer.from('a key of this test alone').toString('base64');

describe('azblob cache over Azurite', function () {
  this.timeout(60_000);
  let emulator: ChildProcess;
  let dir: string;
  let url: string;
  before(async function () {
    if (!existsSync(azurite)) this.skip();
    dir = await mkdtemp(join(tmpdir(), 'azurite-'));
    const args = ['--blobPort', '0', '--inMemoryPersistence', '--silent', '--disableTelemetry'];
    const env = { ...process.env, AZURITE_ACCOUNTS: `acme:${key}` };
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    emulator = spawn(process.execPath, [azurite, ...args], { cwd: dir, env, stdio: [...stdio] });
    for await (const line of createInterface(emulator.stdout!)) {
      const listening = /listens on (http:\S+)/.exec(line);
      if (!listening) continue;
      url = `${listening[1]}/acme`;
      break;
    }
    if (!url) throw new Error('Azurite ended before it listened');
    emulator.stdout!.resume();
  });
  after(async () => {
    if (emulator?.exitCode === null) {
      emulator.kill('SIGKILL');
      await once(emulator, 'exit');
    }
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  const place = (attrs = {}): Readonly<Record<string, string>> => ({
    account_url: url,
    account_name: 'acme',
    secret_access_key: key,
    ...attrs,
  });
  const client = (attrs = {}): AzblobClient =>
    new AzblobClient(readAzblobOptions(new CacheAttributes('azblob', place(attrs)), {}));

  let containers = 0;
  cacheContract('azblob', () => {
    const attrs = place({ container: `cache-${containers++}`, prefix: 'some/where', name: 'one;two' });
    return { backend: new AzblobCache({}), context, exportAttrs: attrs, importAttrs: () => attrs };
  });

  it('makes its container once, and sends nothing that is there', async () => {
    const attrs = place({ container: 'again' });
    const sizes: number[] = [];
    const progress = {
      ...silentProgress,
      status: (id: string) => void (id.startsWith('writing layer') && sizes.push(1)),
    };
    for (let time = 0; time < 2; time++) {
      await new AzblobCache({}).exporter(attrs).export(cacheRecords(), { ...context, progress }, signal);
    }
    expect(new Set(sizes).size).to.be.lessThan(2);
    expect(await new AzblobCache({}).importer(attrs).import(context, signal)).to.have.length(4);
  });

  it('sends large layers in blocks, and reads them from the middle', async () => {
    const large = client({ container: 'large' });
    await large.open(signal);
    const chunk = Buffer.alloc(7 << 20, 'x');
    async function* data(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < 6; i++) yield chunk;
      yield Buffer.from('the end');
    }
    await large.put('layer', data(), signal);
    const offset = 6 * chunk.length - 1;
    expect((await collect(large.read('layer', { offset }, signal))).toString()).to.equal('xthe end');
    expect((await collect(large.read('layer', { offset: 0, length: 3 }, signal))).toString()).to.equal('xxx');
  });

  it('takes any name for a blob', async () => {
    const odd = client({ container: 'odd' });
    await odd.open(signal);
    for (const name of ['a b/ä+%?#&=', 'x/~y', 'sha256:00']) {
      await odd.put(name, data(name), signal);
      expect((await collect(odd.read(name, {}, signal))).toString()).to.equal(name);
      expect(await odd.exists(`${name}x`, signal)).to.equal(false);
    }
    async function* data(text: string): AsyncIterable<Uint8Array> {
      yield Buffer.from(text);
    }
  });

  it('is refused with another key', async () => {
    const wrong = place({ secret_access_key: Buffer.from('wrong').toString('base64') });
    const error = await new AzblobCache({})
      .importer(wrong)
      .import(context, signal)
      .catch((reason: unknown) => reason);
    expect(String(error)).to.contain('azblob: manifests/buildkit: 403').and.contain('AuthorizationFailure');
  });
});
