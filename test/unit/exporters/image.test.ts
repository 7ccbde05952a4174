import { expect } from 'chai';
import type { BuildResult } from '../../../core/contracts/exporter.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import { sourceLabel } from '../../../core/contracts/registry.js';
import { RegistryClient } from '../../../core/registry/client.js';
import { sha256 } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { ImageExporter } from '../../../plugins/exporters/image/image-exporter.js';
import { receivingSession } from '../../contract/exporter.js';
import { fakeContent } from '../../support/fake-content.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSessions } from '../../support/fake-session.js';
import { resultOf } from './results.js';

const { signal } = new AbortController();

describe('image exporter', () => {
  let registry: FakeRegistry;
  let client: RegistryClient;
  let progress: RecordedProgress;
  beforeEach(async () => {
    registry = await FakeRegistry.start();
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(),
      logger: silentLogger,
      retryDelays: [],
    });
    progress = new RecordedProgress();
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const single = resultOf({ 'linux/amd64': [{ data: 'one' }, { data: 'two' }] });
  const run = async (
    attrs: Record<string, string>,
    result: BuildResult = single,
  ): Promise<Record<string, string>> => {
    const { session } = receivingSession();
    const context = { session: async () => session, index: 0, steps: progress };
    const opened = new ImageExporter(fakeContent(), client).open(attrs);
    return (await opened.run(result, context, signal)).response;
  };
  const puts = (): string[] =>
    registry.requests.filter((line) => line.startsWith('PUT')).map((line) => line.replace(/\?.*/, ''));

  it('pushes layers and config, then the manifest under its tag', async () => {
    const name = `${registry.host}/a/b:1`;
    const response = await run({ name, push: 'true' });
    expect(response['image.name']).to.equal(name);
    expect(puts().slice(0, 3)).to.deep.equal(Array(3).fill('PUT /v2/a/b/blobs/uploaded'));
    expect(puts().slice(3)).to.deep.equal(['PUT /v2/a/b/manifests/1']);
    expect(sha256(registry.manifests.get('a/b:1')!.data)).to.equal(response['containerimage.digest']);
    expect(progress.lines.slice(-4)).to.deep.equal([
      'pushing layers',
      'pushing layers done',
      `pushing manifest for ${name}@${response['containerimage.digest']}`,
      `pushing manifest for ${name}@${response['containerimage.digest']} done`,
    ]);
  });

  it("has Docker's media types unless OCI's are asked for", async () => {
    const typeOf = async (attrs: Readonly<Record<string, string>>): Promise<string | undefined> => {
      const { 'containerimage.digest': digest } = await run({
        name: `${registry.host}/a/b`,
        push: '',
        ...attrs,
      });
      return registry.manifests.get(`a/b:${digest}`)?.type;
    };
    expect(await typeOf({})).to.equal(mediaTypes.dockerManifest);
    expect(await typeOf({ 'oci-mediatypes': '' })).to.equal(mediaTypes.ociManifest);
  });

  it('pushes what an index names before the index', async () => {
    const two = resultOf({ 'linux/amd64': [{ data: 'one' }], 'linux/arm64': [{ data: 'two' }] });
    const response = await run({ name: `${registry.host}/a/b`, push: '', 'oci-mediatypes': 'true' }, two);
    const manifests = puts().filter((line) => line.includes('/manifests/'));
    expect(manifests).to.have.length(3);
    expect(manifests.at(-1)).to.equal('PUT /v2/a/b/manifests/latest');
    expect(registry.manifests.get(`a/b:${response['containerimage.digest']}`)?.type).to.equal(
      mediaTypes.ociIndex,
    );
  });

  it('pushes to every name, and sends no blob twice to one repository', async () => {
    await run({ name: `${registry.host}/a/b:1,${registry.host}/a/b:2`, push: 'true' });
    expect(puts().filter((line) => line.includes('/blobs/'))).to.have.length(3);
    expect(registry.manifests.has('a/b:2')).to.equal(true);
  });

  it('mounts layers from the repository they came from', async () => {
    const annotations = { [sourceLabel(registry.host)]: 'base/image' };
    const digest = registry.addBlob(Buffer.from('base')).digest;
    registry.troubles.push((request, response) => {
      if (request.method !== 'HEAD' || !request.url?.includes(digest)) return false;
      response.writeHead(404).end();
      return true;
    });
    await run(
      { name: `${registry.host}/a/b:1`, push: 'true' },
      resultOf({ 'linux/amd64': [{ data: 'base', annotations }] }),
    );
    expect(registry.requests.filter((line) => line.includes('from=base%2Fimage'))).to.have.length(1);
    expect(registry.manifests.get('a/b:1')!.data.toString()).not.to.contain('distribution.source');
  });

  it('keeps layers back that must not be distributed', async () => {
    const layer = { data: 'foreign', mediaType: mediaTypes.dockerForeignLayer };
    const attrs = { name: `${registry.host}/a/b:1`, push: 'true', 'prefer-nondist-layers': 'true' };
    await run(attrs, resultOf({ 'linux/amd64': [layer] }));
    expect(registry.blobs.has(sha256('foreign'))).to.equal(false);
  });

  it('leaves no tag when it pushes by digest', async () => {
    const response = await run({ name: `${registry.host}/a/b`, push: 'true', 'push-by-digest': 'true' });
    expect([...registry.manifests.keys()]).to.deep.equal([`a/b:${response['containerimage.digest']}`]);
    const error = await run({ name: `${registry.host}/a/b:1`, push: 'true', 'push-by-digest': 'true' }).catch(
      (e) => e,
    );
    expect(error.message).to.contain(`can't push tagged ref ${registry.host}/a/b:1 by digest`);
  });

  it('names what could not be pushed, and why', async () => {
    registry.trouble('/uploads/', 9, (response) =>
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"no"}]}'),
    );
    const error = await run({ name: `${registry.host}/a/b:1`, push: 'true' }).catch((reason) => reason);
    expect(error.grpcCode).to.equal('PermissionDenied');
    expect(error.message).to.match(
      /^failed to push 127.0.0.1:\d+\/a\/b:1: unexpected status .* 403 Forbidden: DENIED: no$/,
    );
  });

  it('only keeps the image when it is not told to push', async () => {
    const response = await run({ name: 'x', 'dangling-name-prefix': 'dangling' });
    expect(registry.requests).to.deep.equal([]);
    expect(response['image.name']).to.equal(`x,dangling@${response['containerimage.digest']}`);
  });

  it('refuses to push without a name', async () => {
    const error = await run({ push: 'true' }).catch((reason) => reason);
    expect(error).to.include({ code: 'exporter.no-name', grpcCode: 'InvalidArgument' });
  });
});
