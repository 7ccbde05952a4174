import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import S3rver from 's3rver';
import { silentProgress } from '../../../core/contracts/progress.js';
import { sha256 } from '../../../core/util/digest.js';
import { S3Cache } from '../../../plugins/cache/s3/s3-cache.js';
import { S3Client } from '../../../plugins/cache/s3/s3-client.js';
import { readS3Options, type S3Options } from '../../../plugins/cache/s3/s3-options.js';
import { CacheAttributes } from '../../../plugins/cache/shared/attributes.js';
import { cacheContract, cacheRecords } from '../../contract/cache.js';
import { fakeSession } from '../../support/fake-session.js';

const { signal } = new AbortController();
const keys = { access_key_id: 'S3RVER', secret_access_key: 'S3RVER' };
const options = (attrs: Readonly<Record<string, string>>, env = {}): S3Options =>
  readS3Options(new CacheAttributes('s3', attrs), env);

describe('s3 cache', () => {
  let dir: string;
  let server: S3rver;
  let attrs: Readonly<Record<string, string>>;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 's3-cache-'));
    server = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: dir,
      configureBuckets: [{ name: 'caches' }],
    });
    await server.run();
    attrs = {
      ...keys,
      bucket: 'caches',
      region: 'us-east-1',
      use_path_style: 'true',
      endpoint_url: `http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}`,
    };
  });
  after(async () => {
    server.httpServer.closeAllConnections();
    await server.close();
    await rm(dir, { recursive: true });
  });

  const context = {
    session: async () => fakeSession(),
    sessions: { ids: () => [] },
    progress: silentProgress,
  };
  let next = 0;
  cacheContract('s3', () => {
    const place = { ...attrs, prefix: `p${next++}/`, name: 'one;two' };
    return { backend: new S3Cache({}), context, exportAttrs: place, importAttrs: () => place };
  });

  it('writes where others look for it', async () => {
    await new S3Cache({})
      .exporter({ ...attrs, prefix: 'x/', name: 'a;b' })
      .export(cacheRecords(), context, signal);
    const client = new S3Client(options(attrs));
    const found = await Promise.all(
      ['x/manifests/a', 'x/manifests/b', `x/blobs/${sha256('layer one')}`, 'x/manifests/buildkit'].map(
        async (key) => (await client.head(key, signal)) !== undefined,
      ),
    );
    expect(found).to.deep.equal([true, true, true, false]);
  });

  it('sends large layers in parts', async () => {
    const client = new S3Client(options(attrs));
    const chunk = Buffer.alloc(3 << 20, 'x');
    const size = chunk.length * 8;
    async function* data(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < 8; i++) yield chunk;
    }
    await client.putStream('large', data(), size, signal);
    expect((await client.head('large', signal))?.size).to.equal(size);
  }).timeout(30_000);

  it('makes an old layer young when it is used again', async () => {
    const client = new S3Client(options(attrs));
    const digest = sha256('layer one');
    const place = { ...attrs, prefix: 'old/' };
    await client.put(`old/blobs/${digest}`, Buffer.from('layer one'), signal);
    const requests: string[] = [];
    const real = globalThis.fetch;
    globalThis.fetch = async (...args) => {
      const request = args[0] as Request;
      if (request.headers.has('x-amz-copy-source')) requests.push(request.headers.get('x-amz-copy-source')!);
      return real(...args);
    };
    try {
      await new S3Cache({})
        .exporter({ ...place, touch_refresh: '0s' })
        .export(cacheRecords(), context, signal);
    } finally {
      globalThis.fetch = real;
    }
    expect(requests).to.deep.equal([`/caches/old/blobs/${digest}`]);
  });

  it('takes what is not given from the environment of the daemon', () => {
    const env = { AWS_BUCKET: 'b', AWS_REGION: 'r', AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's' };
    const { url, credentials } = options({}, env);
    expect([url, credentials]).to.deep.equal([
      'https://b.s3.r.amazonaws.com',
      { accessKeyId: 'i', secretAccessKey: 's' },
    ]);
  });

  it('says what is missing', () => {
    expect(() => options({})).to.throw('bucket ($AWS_BUCKET) not set for s3 cache');
    expect(() => options({ bucket: 'b' })).to.throw('region ($AWS_REGION) not set for s3 cache');
    expect(() => options({ bucket: 'b', region: 'r' })).to.throw('there are no credentials');
  });

  it('fails when the keys are wrong', async () => {
    const error = await new S3Cache({})
      .importer({ ...attrs, access_key_id: 'nobody' })
      .import(context, signal)
      .catch((reason: unknown) => reason);
    expect(String(error)).to.contain('403');
  });
});
