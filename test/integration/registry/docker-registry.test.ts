import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Repository } from '../../../core/contracts/registry.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { sha256 } from '../../../core/util/digest.js';
import { parseImageReference } from '../../../core/util/image-reference.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { DockerRegistry, hasDockerRegistry } from '../../support/docker-registry.js';
import { collect } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';

// `me` with the password `secret`.
const htpasswd = 'me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';
const { signal } = new AbortController();

interface TestImage {
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly layer: Descriptor;
  readonly config: Descriptor;
  readonly root: Descriptor;
  readonly manifest: Buffer;
  readonly provider: ContentProvider;
}

function image(layerData: Buffer): TestImage {
  const configData = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [sha256(layerData)] },
    }),
  );
  const describe = (mediaType: string, data: Buffer): Descriptor => ({
    mediaType,
    digest: sha256(data),
    size: data.length,
  });
  const layer = describe(mediaTypes.ociLayer, layerData);
  const config = describe(mediaTypes.ociConfig, configData);
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] }),
  );
  const blobs = new Map([
    [layer.digest, layerData],
    [config.digest, configData],
  ]);
  const provider: ContentProvider = {
    read: async function* ({ digest }) {
      const data = blobs.get(digest)!;
      for (let at = 0; at < data.length; at += 65_536) yield data.subarray(at, at + 65_536);
    },
  };
  return { blobs, layer, config, manifest, root: describe(mediaTypes.ociManifest, manifest), provider };
}

async function push(
  repository: Repository,
  { layer, config, root, manifest, provider }: TestImage,
): Promise<void> {
  await Promise.all([layer, config].map((blob) => repository.pushBlob(blob, provider, {}, signal)));
  await repository.pushManifest(root, manifest, '1', signal);
}

describe('registry client against docker-registry', function () {
  this.timeout(30_000);
  before(function () {
    if (!hasDockerRegistry()) this.skip();
  });

  it('pushes an image and pulls it back', async () => {
    await using registry = await DockerRegistry.start();
    await using client = new RegistryClient({ hosts: {}, sessions: fakeSessions(), logger: silentLogger });
    const reference = parseImageReference(`${registry.host}/a/b:1`);
    const pushed = image(Buffer.alloc(10_000_000, 'layer'));
    await push(client.repository(reference, { actions: 'push', sessions: group() }), pushed);

    const repository = client.repository(reference, { actions: 'pull', sessions: group() });
    expect(await repository.resolve(signal)).to.deep.equal(pushed.root);
    expect(Buffer.from(await repository.manifest(pushed.root, signal))).to.deep.equal(pushed.manifest);
    const whole = await collect(repository.blobs.read(pushed.layer, {}, signal));
    expect(sha256(whole)).to.equal(pushed.layer.digest);
    const part = await collect(repository.blobs.read(pushed.layer, { offset: 7, length: 9 }, signal));
    expect(part.toString()).to.equal('yerlayerl');
  });

  it('is understood by skopeo', async function () {
    if (spawnSync('skopeo', ['--version']).status !== 0) this.skip();
    await using registry = await DockerRegistry.start();
    await using client = new RegistryClient({ hosts: {}, sessions: fakeSessions(), logger: silentLogger });
    const pushed = image(Buffer.from('layer'));
    const reference = parseImageReference(`${registry.host}/a/b:1`);
    await push(client.repository(reference, { actions: 'push', sessions: group() }), pushed);
    const inspected = spawnSync('skopeo', [
      'inspect',
      '--tls-verify=false',
      `docker://${registry.host}/a/b:1`,
    ]);
    expect(JSON.parse(inspected.stdout.toString())).to.deep.include({
      Digest: pushed.root.digest,
      Layers: [pushed.layer.digest],
    });
  });

  it('mounts a blob from another repository', async () => {
    await using registry = await DockerRegistry.start();
    await using client = new RegistryClient({ hosts: {}, sessions: fakeSessions(), logger: silentLogger });
    const pushed = image(Buffer.from('layer'));
    const repository = (name: string): Repository =>
      client.repository(parseImageReference(`${registry.host}/${name}:1`), {
        actions: 'push',
        sessions: group(),
      });
    await push(repository('a/b'), pushed);
    const unreadable: ContentProvider = {
      read: () => {
        throw new Error('it was sent instead of mounted');
      },
    };
    await repository('c/d').pushBlob(pushed.layer, unreadable, { mountFrom: ['a/b'] }, signal);
    expect(await repository('c/d').has(pushed.layer, signal)).to.equal(true);
  });

  it('logs in with what the session offers', async () => {
    await using registry = await DockerRegistry.start(htpasswd);
    const session = (id: string, secret: string) =>
      fakeSession({ id, auth: { credentials: async () => ({ username: 'me', secret }) } });
    const sessions = fakeSessions(session('right', 'secret'), session('wrong', 'guess'));
    await using client = new RegistryClient({ hosts: {}, sessions, logger: silentLogger });
    const reference = parseImageReference(`${registry.host}/a/b:1`);
    const pushed = image(Buffer.from('layer'));
    await push(client.repository(reference, { actions: 'push', sessions: group('right') }), pushed);
    const resolve = (...ids: string[]): Promise<Descriptor> =>
      client.repository(reference, { actions: 'pull', sessions: group(...ids) }).resolve(signal);
    expect(await resolve('right')).to.deep.equal(pushed.root);
    const denied = await resolve('wrong').catch((error) => error);
    expect(denied).to.include({ code: 'registry.denied', grpcCode: 'PermissionDenied' });
  });
});
