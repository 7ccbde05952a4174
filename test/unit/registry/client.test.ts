import { expect } from 'chai';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { RegistryAccess, Repository } from '../../../core/contracts/registry.js';
import type { Sessions } from '../../../core/contracts/session.js';
import { RegistryClient } from '../../../core/registry/client.js';
import type { RegistryHosts } from '../../../core/registry/hosts.js';
import { headersFor } from '../../../core/registry/transport.js';
import { sha256 } from '../../../core/util/digest.js';
import { parseImageReference } from '../../../core/util/image-reference.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { collect, FakeRegistry } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';

const { signal } = new AbortController();
const failure = (promise: Promise<unknown>): Promise<Error & { code: string; grpcCode: string }> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error) => error,
  );

describe('registry client', () => {
  let registry: FakeRegistry;
  let client: RegistryClient;
  let now: number;
  let slept: number[];
  beforeEach(async () => {
    registry = await FakeRegistry.start();
    now = 1_000_000_000_000;
    slept = [];
    make({}, fakeSessions());
  });
  afterEach(async () => {
    await client?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  function open(name: string, options: { access?: Partial<RegistryAccess> } = {}): Repository {
    return client.repository(parseImageReference(name), {
      actions: 'pull',
      sessions: group(),
      ...options.access,
    });
  }
  function make(hosts: RegistryHosts, sessions: Sessions): RegistryClient {
    client = new RegistryClient({
      hosts,
      sessions,
      logger: silentLogger,
      now: () => now,
      sleep: async (ms) => void slept.push(ms),
      random: () => 0.5,
    });
    return client;
  }

  describe('resolving', () => {
    it('answers the descriptor of a tag with one HEAD', async () => {
      const digest = registry.addImage('a/b', '1', [Buffer.from('layer')]);
      const found = await open(`${registry.host}/a/b:1`).resolve(signal);
      expect(found).to.include({ digest, mediaType: mediaTypes.ociManifest });
      expect(registry.requests).to.deep.equal(['HEAD /v2/a/b/manifests/1']);
    });

    it('reads the manifest when the registry names no digest', async () => {
      const digest = registry.addImage('a/b', '1', []);
      registry.trouble('/manifests/', 1, (response) => response.writeHead(200).end());
      expect((await open(`${registry.host}/a/b:1`).resolve(signal)).digest).to.equal(digest);
      expect(registry.requests.at(-1)).to.equal('GET /v2/a/b/manifests/1');
    });

    it('says not found with the full name', async () => {
      const error = await failure(open(`${registry.host}/a/b:2`).resolve(signal));
      expect(error).to.include({ code: 'registry.not-found', grpcCode: 'NotFound' });
      expect(error.message).to.equal(`${registry.host}/a/b:2: not found`);
    });

    it('refuses schema 1 manifests by name', async () => {
      registry.addManifest('a/b', '1', {}, mediaTypes.dockerSchema1Signed);
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error.message).to.match(/schema 1 is not supported/);
    });

    it('refuses an oversized manifest unread', async () => {
      registry.trouble('/manifests/', 1, (response) =>
        response.writeHead(200, { 'content-length': 9_000_000, 'docker-content-digest': sha256('x') }).end(),
      );
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error).to.include({ code: 'registry.manifest-too-large', grpcCode: 'ResourceExhausted' });
    });

    it('names address and cause when the registry cannot be reached, without trying again', async () => {
      await registry[Symbol.asyncDispose]();
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error.message).to.equal(
        `failed to do request: Head "http://${registry.host}/v2/a/b/manifests/1": ` +
          `dial tcp ${registry.host}: connect: connection refused`,
      );
      expect([error.grpcCode, slept]).to.deep.equal(['Unknown', []]);
    });

    it('refuses a manifest whose bytes have another digest', async () => {
      const digest = registry.addImage('a/b', '1', []);
      registry.trouble('/manifests/', 2, (response) => response.writeHead(200).end('{}'));
      const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: 2 };
      const manifest = (): Promise<Uint8Array> => open(`${registry.host}/a/b:1`).manifest(descriptor, signal);
      const error = await failure(manifest());
      expect(error).to.include({ code: 'registry.digest-mismatch', grpcCode: 'DataLoss' });
      expect(error.message).to.contain(digest).and.contain(sha256('{}'));
      expect(slept, 'asked once more').to.deep.equal([250]);
      expect(sha256(await manifest())).to.equal(digest);
    });

    it('tells a manifest by its members where the server has no type for it', async () => {
      const digest = registry.addImage('a/b', '1', []);
      registry.troubles.push((request, response) => {
        if (!request.url?.includes('/manifests/')) return false;
        const { data } = registry.manifests.get('a/b:1')!;
        const length = { 'content-length': data.length, 'docker-content-digest': digest };
        response.writeHead(200, { 'content-type': 'text/plain', ...length });
        response.end(request.method === 'HEAD' ? undefined : data);
        return true;
      });
      const found = await open(`${registry.host}/a/b:1`).resolve(signal);
      expect(found).to.include({ digest, mediaType: mediaTypes.ociManifest });
    });

    it('says so when something else answers in the place of a manifest', async () => {
      registry.trouble('/manifests/', 2, (response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Please log in.</p>'),
      );
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error.message).to.match(/a\/b:1: http:.*\/manifests\/1 sent no image manifest, but text\/html$/);
    });

    it('passes the lists of errors that registries send on', async () => {
      registry.trouble('/manifests/', 9, (response) =>
        response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"quota"}]}'),
      );
      const digest = sha256('x');
      const error = await failure(
        open(`${registry.host}/a/b:1`).manifest(
          { mediaType: mediaTypes.ociManifest, digest, size: 1 },
          signal,
        ),
      );
      expect(error.grpcCode).to.equal('PermissionDenied');
      expect(error.message).to.match(/GET request to http:\/\/127.*: 403 Forbidden: DENIED: quota$/);
    });
  });

  describe('trying again', () => {
    it('waits as long as a 429 asks for', async () => {
      const digest = registry.addImage('a/b', '1', []);
      registry.trouble('/manifests/', 1, (response) => response.writeHead(429, { 'retry-after': '7' }).end());
      const lines: string[] = [];
      const log = (line: string): void => void lines.push(line);
      const found = await open(`${registry.host}/a/b:1`, { access: { log } }).resolve(signal);
      expect([found.digest, slept]).to.deep.equal([digest, [7000]]);
      expect(lines).to.deep.equal(['error: server answered 429, retrying HEAD in 7000 ms\n']);
    });

    it('backs off after server errors and broken connections, then gives up', async () => {
      registry.trouble('/manifests/', 2, (response) => response.writeHead(503).end());
      registry.trouble('/manifests/', 9, (response) => response.destroy());
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(slept).to.deep.equal([250, 1000, 2000, 4000]);
      expect(error).to.include({ code: 'registry.unreachable', grpcCode: 'Unknown' });
      expect(error.message).to.match(/was closed: .* \(after 5 tries\)$/);
    });

    it('says how often a server failed', async () => {
      registry.trouble('/manifests/', 9, (response) => response.writeHead(502).end());
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error.message).to.match(/\/v2\/a\/b\/manifests\/1: 502 Bad Gateway \(after 5 tries\)$/);
    });

    it('does not come back together with the others that were turned away', async () => {
      await client[Symbol.asyncDispose]();
      const random = [0, 1];
      const sleep = async (ms: number): Promise<void> => void slept.push(ms);
      const sessions = fakeSessions();
      client = new RegistryClient({
        ...{ hosts: {}, sessions, logger: silentLogger, sleep },
        random: () => random.shift()!,
      });
      registry.trouble('/manifests/', 2, (response) => response.writeHead(503).end());
      registry.addImage('a/b', '1', []);
      await open(`${registry.host}/a/b:1`).resolve(signal);
      expect(slept).to.deep.equal([188, 1250]);
    });

    it('does not wait for ever for a server that takes a request and says nothing', async () => {
      await client[Symbol.asyncDispose]();
      const options = { hosts: {}, sessions: fakeSessions(), logger: silentLogger };
      client = new RegistryClient({ ...options, idleTimeout: 20, retryDelays: [0] });
      registry.trouble('/manifests/', 2, () => undefined);
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error.message).to.match(/127.* took the request, but did not answer in time \(after 2 tries\)$/);
    });

    it('stops at once when nobody waits any more', async () => {
      const abort = new AbortController();
      registry.trouble('/manifests/', 9, () => abort.abort());
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(abort.signal));
      expect(error).to.include({ code: 'canceled' });
    });
  });

  describe('blobs', () => {
    const data = Buffer.alloc(300_000, 'blob');
    const descriptor = { mediaType: mediaTypes.ociLayer, digest: sha256(data), size: data.length };
    const read = (range = {}): Promise<Buffer> =>
      collect(open(`${registry.host}/a/b:1`).blobs.read(descriptor, range, signal));

    it('streams whole and in parts', async () => {
      registry.addBlob(data);
      expect(await read()).to.deep.equal(data);
      expect(await read({ offset: 10, length: 20 })).to.deep.equal(data.subarray(10, 30));
      expect(await read({ offset: 299_990 })).to.deep.equal(data.subarray(299_990));
      expect(registry.log.map(({ headers }) => headers.range)).to.deep.equal([
        undefined,
        'bytes=10-29',
        'bytes=299990-299999',
      ]);
    });

    it('goes on where a broken download stopped', async () => {
      registry.addBlob(data);
      registry.trouble('/blobs/', 1, (response) => {
        response.writeHead(200, { 'content-length': data.length });
        response.write(data.subarray(0, 100_000), () => response.destroy());
      });
      expect(await read()).to.deep.equal(data);
      expect(registry.log.map(({ headers }) => headers.range)).to.deep.equal([
        undefined,
        'bytes=100000-299999',
      ]);
      expect(slept).to.deep.equal([250]);
    });

    it('skips what it has when the server knows no ranges', async () => {
      registry.addBlob(data);
      registry.trouble('/blobs/', 2, (response, request) => {
        response.writeHead(200, { 'content-length': data.length });
        if (request.headers.range) response.end(data);
        else response.write(data.subarray(0, 100_000), () => response.destroy());
      });
      expect(await read()).to.deep.equal(data);
    });

    it('goes on where a download stopped coming', async () => {
      await client[Symbol.asyncDispose]();
      const options = { hosts: {}, sessions: fakeSessions(), logger: silentLogger };
      client = new RegistryClient({ ...options, idleTimeout: 20, retryDelays: [0] });
      registry.addBlob(data);
      registry.trouble('/blobs/', 1, (response) => {
        response.writeHead(200, { 'content-length': data.length });
        response.write(data.subarray(0, 100_000));
      });
      expect(await read()).to.deep.equal(data);
      expect(registry.log.map(({ headers }) => headers.range)).to.deep.equal([
        undefined,
        'bytes=100000-299999',
      ]);
    });

    it('gives up on a connection that breaks again and again without bringing much', async () => {
      let at = 0;
      registry.trouble('/blobs/', 99, (response, { headers }) => {
        response.writeHead(headers.range ? 206 : 200, { 'content-length': data.length - at });
        response.write(data.subarray(at, ++at), () => response.destroy());
      });
      const error = await failure(read());
      expect(error.message).to.match(/was closed: .* \(after 5 tries\)$/);
      expect(slept).to.deep.equal([250, 1000, 2000, 4000]);
    });

    it('takes a larger part than it asked for, but none that begins later', async () => {
      registry.trouble('/blobs/', 1, (response) => {
        response.writeHead(206, { 'content-range': 'bytes 5-29/300000', 'content-length': 25 });
        response.end(data.subarray(5, 30));
      });
      expect(await read({ offset: 10, length: 20 })).to.deep.equal(data.subarray(10, 30));
      registry.trouble('/blobs/', 1, (response) => {
        response.writeHead(206, { 'content-range': 'bytes 15-29/300000', 'content-length': 15 });
        response.end(data.subarray(15, 30));
      });
      const error = await failure(read({ offset: 10, length: 20 }));
      expect(error.message).to.match(/sent bytes from 15 on, not from 10$/);
    });

    it('fails when the bytes have another digest', async () => {
      registry.trouble('/blobs/', 1, (response) => response.end(Buffer.alloc(data.length, 'evil')));
      const error = await failure(read());
      expect(error.code).to.equal('registry.digest-mismatch');
    });

    it('fails when there are more bytes than promised', async () => {
      registry.trouble('/blobs/', 1, (response) => {
        response.writeHead(200, { 'content-length': data.length + 1 });
        response.end(Buffer.concat([data, Buffer.from('x')]));
      });
      expect((await failure(read())).code).to.equal('registry.digest-mismatch');
    });

    it('follows redirects without taking credentials along', async () => {
      await using other = await FakeRegistry.start();
      other.addBlob(data);
      registry.trouble('/blobs/', 1, (response) =>
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
      );
      registry.trouble('/blobs/', 1, (response) =>
        response.writeHead(307, { location: `http://${other.host}/v2/c/d/blobs/${descriptor.digest}` }).end(),
      );
      await client[Symbol.asyncDispose]();
      const credentials = async () => ({ username: 'me', secret: 'pw' });
      make({}, fakeSessions(fakeSession({ auth: { credentials } })));
      const repository = open(`${registry.host}/a/b:1`, { access: { sessions: group('session1') } });
      expect(await collect(repository.blobs.read(descriptor, {}, signal))).to.deep.equal(data);
      expect(registry.log.at(-1)?.headers.authorization).to.equal('Basic bWU6cHc=');
      expect(other.log[0]?.headers.authorization).to.equal(undefined);
    });

    it('keeps credentials on the way to TLS only', () => {
      const headers = { Authorization: 'Basic x', accept: '*/*' };
      const kept = (from: string, to: string) => 'Authorization' in headersFor(to, from, headers);
      expect([
        kept('https://r.io/a', 'https://r.io/b'),
        kept('http://r.io/a', 'https://r.io/b'),
        kept('https://r.io/a', 'http://r.io/b'),
        kept('https://r.io/a', 'https://s.io/b'),
      ]).to.deep.equal([true, true, false, false]);
    });

    it('opens no more than four at once, and a manifest passes them by', async () => {
      const digest = registry.addImage('a/b', '1', []);
      registry.addBlob(data);
      const repository = open(`${registry.host}/a/b:1`);
      const streams = Array.from({ length: 6 }, () =>
        repository.blobs.read(descriptor, {}, signal)[Symbol.asyncIterator](),
      );
      const firsts = streams.map((stream) => stream.next());
      await Promise.all(firsts.slice(0, 4));
      expect((await repository.resolve(signal)).digest).to.equal(digest);
      expect(registry.requests.filter((line) => line.includes('/blobs/'))).to.have.length(4);
      await Promise.all(streams.slice(0, 4).map((stream) => stream.return?.()));
      await Promise.all(firsts);
      expect(registry.requests.filter((line) => line.includes('/blobs/'))).to.have.length(6);
      await Promise.all(streams.map((stream) => stream.return?.()));
    });
  });

  describe('mirrors', () => {
    it('are asked first, with the registry they stand for', async () => {
      await using mirror = await FakeRegistry.start();
      const digest = mirror.addImage('proxy/library/x', 'latest', []);
      await client[Symbol.asyncDispose]();
      make({ 'docker.io': { mirrors: [`${mirror.host}/proxy`] } }, fakeSessions());
      expect((await open('x:latest').resolve(signal)).digest).to.equal(digest);
      expect(mirror.requests).to.deep.equal(['HEAD /v2/proxy/library/x/manifests/latest?ns=docker.io']);
    });

    it('are left for the registry itself when they fail, without a pause', async () => {
      await using mirror = await FakeRegistry.start();
      mirror.trouble('/', 9, (response) => response.writeHead(502).end());
      const digest = registry.addImage('a/b', '1', []);
      await client[Symbol.asyncDispose]();
      make({ [registry.host]: { mirrors: [mirror.host] } }, fakeSessions());
      expect((await open(`${registry.host}/a/b:1`).resolve(signal)).digest).to.equal(digest);
      expect(slept).to.deep.equal([]);
    });

    it('are left for the registry itself when a download breaks, at the byte where it broke', async () => {
      await using mirror = await FakeRegistry.start();
      const data = Buffer.alloc(300_000, 'blob');
      const descriptor = { mediaType: mediaTypes.ociLayer, ...registry.addBlob(data) };
      mirror.trouble('/blobs/', 9, (response) => {
        response.writeHead(200, { 'content-length': data.length });
        response.write(data.subarray(0, 100_000), () => response.destroy());
      });
      await client[Symbol.asyncDispose]();
      make({ [registry.host]: { mirrors: [mirror.host] } }, fakeSessions());
      const blobs = open(`${registry.host}/a/b:1`).blobs;
      expect(await collect(blobs.read(descriptor, {}, signal))).to.deep.equal(data);
      expect([mirror.log.length, registry.log[0]?.headers.range, slept]).to.deep.equal([
        1,
        'bytes=100000-299999',
        [],
      ]);
    });

    it('are not asked again for a blob of which they sent wrong bytes', async () => {
      await using mirror = await FakeRegistry.start();
      const data = Buffer.alloc(300_000, 'blob');
      const descriptor = { mediaType: mediaTypes.ociLayer, ...registry.addBlob(data) };
      mirror.trouble('/blobs/', 9, (response) => response.end(Buffer.alloc(data.length, 'evil')));
      await client[Symbol.asyncDispose]();
      make({ [registry.host]: { mirrors: [mirror.host] } }, fakeSessions());
      const { blobs } = open(`${registry.host}/a/b:1`);
      const read = (): Promise<Buffer> => collect(blobs.read(descriptor, {}, signal));
      expect((await failure(read())).code).to.equal('registry.digest-mismatch');
      expect(await read()).to.deep.equal(data);
    });

    it('are named when no host has it', async () => {
      await using mirror = await FakeRegistry.start();
      await client[Symbol.asyncDispose]();
      make({ [registry.host]: { mirrors: [mirror.host] } }, fakeSessions());
      const error = await failure(open(`${registry.host}/a/b:1`).resolve(signal));
      expect(error.message).to.match(/:1: not found \(mirrors: 127.0.0.1:\d+: .*: not found\)$/);
    });
  });

  describe('pushing', () => {
    const data = Buffer.from('some layer');
    const descriptor = { mediaType: mediaTypes.ociLayer, digest: sha256(data), size: data.length };
    const provider = {
      read: async function* () {
        yield data;
      },
    };
    const push = (mountFrom: string[] = []): Promise<void> =>
      open(`${registry.host}/a/b:1`, { access: { actions: 'push' } }).pushBlob(
        descriptor,
        provider,
        { mountFrom },
        signal,
      );

    it('uploads a blob and puts a manifest under its tag', async () => {
      await push();
      const manifest = Buffer.from('{"schemaVersion":2}');
      const repository = open(`${registry.host}/a/b:1`, { access: { actions: 'push' } });
      const root = { mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length };
      await repository.pushManifest(root, manifest, '1', signal);
      expect(await repository.resolve(signal)).to.deep.equal(root);
      expect(await collect(repository.blobs.read(descriptor, {}, signal))).to.deep.equal(data);
    });

    it('puts a manifest again that the registry got changed, and says so when it stays so', async () => {
      const manifest = Buffer.from('{"schemaVersion":2}');
      const root = { mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length };
      const put = (): Promise<void> =>
        open(`${registry.host}/a/b:1`, { access: { actions: 'push' } }).pushManifest(
          root,
          manifest,
          '1',
          signal,
        );
      const other = { 'docker-content-digest': sha256('other') };
      registry.trouble('/manifests/', 1, (response) => response.writeHead(201, other).end());
      await put();
      expect(registry.manifests.get('a/b:1')?.data).to.deep.equal(manifest);
      registry.trouble('/manifests/', 9, (response) => response.writeHead(201, other).end());
      const error = await failure(put());
      expect(error.message).to.match(/^pushed manifest 127.*\/a\/b:1: the registry sent sha256:/);
    });

    it('sends nothing that is there', async () => {
      registry.addBlob(data);
      await push();
      expect(registry.requests).to.deep.equal([`HEAD /v2/a/b/blobs/${descriptor.digest}`]);
    });

    it('mounts from a repository that has it', async () => {
      registry.addBlob(data);
      registry.trouble('HEAD', 0, () => undefined);
      registry.troubles.push((request, response) => {
        if (request.method !== 'HEAD') return false;
        response.writeHead(404).end();
        return true;
      });
      await push(['c/d']);
      expect(registry.requests.at(-1)).to.match(/^POST .*uploads\/\?mount=sha256%3A[0-9a-f]+&from=c%2Fd$/);
    });

    it('sends an upload elsewhere without taking credentials along', async () => {
      await using storage = await FakeRegistry.start();
      registry.trouble('/v2/', 1, (response) =>
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
      );
      registry.trouble('/uploads/', 1, (response) =>
        response.writeHead(202, { location: `http://${storage.host}/v2/a/b/blobs/uploaded` }).end(),
      );
      await client[Symbol.asyncDispose]();
      const credentials = async () => ({ username: 'me', secret: 'pw' });
      make({}, fakeSessions(fakeSession({ auth: { credentials } })));
      const access = { actions: 'push', sessions: group('session1') } as const;
      await open(`${registry.host}/a/b:1`, { access }).pushBlob(descriptor, provider, {}, signal);
      expect(storage.blobs.has(descriptor.digest)).to.equal(true);
      expect(registry.log.at(-1)?.headers.authorization).to.equal('Basic bWU6cHc=');
      expect(storage.log[0]?.headers.authorization).to.equal(undefined);
    });

    it('begins an upload anew that broke: the registry may have kept a part of the old one', async () => {
      registry.trouble('/uploaded', 1, (response) => response.destroy());
      await push();
      expect(registry.blobs.has(descriptor.digest)).to.equal(true);
      expect(registry.log.map(({ method }) => method)).to.deep.equal([
        ...['HEAD', 'POST', 'PUT'],
        ...['HEAD', 'POST', 'PUT'],
      ]);
    });

    it('sends nothing again when an upload arrived, but its answer did not', async () => {
      registry.trouble('/uploaded', 1, (response) => {
        registry.addBlob(data);
        response.destroy();
      });
      await push();
      expect(registry.log.map(({ method }) => method)).to.deep.equal(['HEAD', 'POST', 'PUT', 'HEAD']);
    });

    it('sends an upload again of which the registry says that it was changed on its way', async () => {
      const changed = '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}';
      registry.trouble('/uploaded', 1, (response) => response.writeHead(400).end(changed));
      await push();
      expect(registry.blobs.has(descriptor.digest)).to.equal(true);
      registry.blobs.clear();
      registry.trouble('/uploaded', 9, (response) => response.writeHead(400).end(changed));
      const error = await failure(push());
      expect(error.message).to.match(/PUT request to http:.*: 400 Bad Request: DIGEST.* \(after 5 tries\)$/);
    });

    it('sends a blob that the registry has in another size', async () => {
      registry.blobs.set(descriptor.digest, data.subarray(1));
      await push();
      expect(registry.blobs.get(descriptor.digest)).to.deep.equal(data);
    });

    it('fails at once with the error of whoever has the bytes', async () => {
      const broken = new Error('this disk is broken');
      const repository = open(`${registry.host}/a/b:1`, { access: { actions: 'push' } });
      const source = {
        read: async function* () {
          yield data.subarray(0, 2);
          throw broken;
        },
      };
      expect(await failure(repository.pushBlob(descriptor, source, {}, signal))).to.equal(broken);
      expect(slept).to.deep.equal([]);
    });
  });
});
