import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { silentLogger } from '../../../core/contracts/logger.js';
import { RegistryClient } from '../../../core/registry/client.js';
import type { RegistryHosts } from '../../../core/registry/hosts.js';
import type { Digest } from '../../../core/util/digest.js';
import { parseImageReference } from '../../../core/util/image-reference.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSessions, group } from '../../support/fake-session.js';

const { signal } = new AbortController();

describe('registry client and TLS', () => {
  let dir: string;
  let registry: FakeRegistry;
  let server: Server;
  let host: string;
  let digest: Digest;

  before(async function () {
    if (spawnSync('openssl', ['version']).status !== 0) this.skip();
    dir = await mkdtemp(join(tmpdir(), 'images-tls-'));
    for (const name of ['server', 'client']) {
      const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
      const files = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.crt`)];
      const made = spawnSync('openssl', [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        ...subject,
        ...files,
      ]);
      if (made.status !== 0) throw new Error(made.stderr.toString());
    }
  });
  after(async () => {
    if (dir) await rm(dir, { recursive: true });
  });
  beforeEach(async () => {
    registry = await FakeRegistry.start();
    digest = registry.addImage('a/b', '1', []);
  });
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    await registry[Symbol.asyncDispose]();
  });

  const pem = (name: string): string => readFileSync(join(dir, name), 'utf8');
  async function serve(options: object = {}): Promise<void> {
    server = createServer(
      { key: pem('server.key'), cert: pem('server.crt'), ...options },
      (request, response) => registry.handle(request, response),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  async function resolve(at: string, hosts: RegistryHosts, insecure = false): Promise<Digest> {
    await using client = new RegistryClient({
      hosts,
      sessions: fakeSessions(),
      logger: silentLogger,
      retryDelays: [],
    });
    const access = { actions: 'pull', sessions: group(), insecure } as const;
    return (await client.repository(parseImageReference(`${at}/a/b:1`), access).resolve(signal)).digest;
  }

  it('refuses an unknown authority and says how to name it', async () => {
    await serve();
    const error = await resolve(host, { [host]: { http: false } }).catch((reason) => reason);
    expect(error.message).to.match(/tls: failed to verify certificate: self-signed certificate/);
    expect(error.hint).to.equal(`name its authority with ca = [...] under [registry."${host}"]`);
  });

  it('accepts an authority from the configuration', async () => {
    await serve();
    expect(await resolve(host, { [host]: { http: false, ca: [join(dir, 'server.crt')] } })).to.equal(digest);
  });

  it('accepts any certificate when told so', async () => {
    await serve();
    expect(await resolve(host, { [host]: { insecure: true } })).to.equal(digest);
    expect(await resolve(host, {}, true)).to.equal(digest);
  });

  it('shows a client certificate, from files or from a certs.d folder', async () => {
    await serve({ requestCert: true, rejectUnauthorized: true, ca: pem('client.crt') });
    const files = {
      http: false,
      ca: [join(dir, 'server.crt')],
      keypair: [{ key: join(dir, 'client.key'), cert: join(dir, 'client.crt') }],
    };
    expect(await resolve(host, { [host]: files })).to.equal(digest);
    await rename(join(dir, 'client.crt'), join(dir, 'client.cert'));
    expect(await resolve(host, { [host]: { http: false, tlsconfigdir: [dir] } })).to.equal(digest);
    const without = await resolve(host, { [host]: { insecure: true } }).catch((reason) => reason);
    expect(without).to.have.property('code', 'registry.unreachable');
  });

  it('falls back to plain HTTP for an insecure registry', async () => {
    expect(await resolve(registry.host, {}, true)).to.equal(digest);
  });

  it('says when a registry turns out to speak plain HTTP', async () => {
    const error = await resolve(registry.host, { [registry.host]: { http: false } }).catch(
      (reason) => reason,
    );
    expect(error.message).to.match(/http: server gave HTTP response to HTTPS client$/);
    expect(error.hint).to.contain('set http = true');
  });

  it('names a certificate file that is missing', async () => {
    const error = await resolve(host, { [host]: { http: false, ca: ['/no/such.pem'] } }).catch(
      (reason) => reason,
    );
    expect(error.message).to.contain('/no/such.pem');
  });
});
