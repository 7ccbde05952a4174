import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { prepareCaches } from '../../../client/caches.js';
import { type CacheFlags, parseCacheExports, parseCacheImports } from '../../../cmd/buildctl/build/caches.js';
import { cacheManifestLabel } from '../../../core/contracts/cache.js';
import { sha256 } from '../../../core/util/digest.js';

describe('caches on the command line', () => {
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
  });
  const surroundings = { env: {}, stderr: { write: (text: string) => warnings.push(text) } };
  const exports = (...exportCache: readonly string[]) => parseCacheExports({ exportCache }, surroundings);
  const imports = (flags: CacheFlags) => parseCacheImports(flags, surroundings);

  it('are exported in mode min unless they say otherwise', () => {
    expect(exports('type=registry,ref=a/b', 'type=local,dest=d,mode=max')).to.deep.equal([
      { type: 'registry', attrs: { mode: 'min', ref: 'a/b' } },
      { type: 'local', attrs: { mode: 'max', dest: 'd' } },
    ]);
    expect(warnings).to.deep.equal([]);
  });

  it('may be bare references, with a warning', () => {
    expect(exports('a/b:c')).to.deep.equal([{ type: 'registry', attrs: { mode: 'min', ref: 'a/b:c' } }]);
    expect(imports({ importCache: ['a/b'] })).to.deep.equal([{ type: 'registry', attrs: { ref: 'a/b' } }]);
    expect(warnings.join('')).to.contain('--export-cache <ref> is deprecated').and.contain('--import-cache');
  });

  it('take older options into account', () => {
    const flags = { exportCache: ['a/b'], exportCacheOpt: ['mode=max'] };
    expect(parseCacheExports(flags, surroundings)[0]!.attrs).to.deep.equal({ mode: 'max', ref: 'a/b' });
  });

  it('of runners are filled in from what the runner says', () => {
    const env = {
      ACTIONS_CACHE_SERVICE_V2: 'true',
      ACTIONS_RESULTS_URL: 'https://results',
      ACTIONS_CACHE_URL: 'https://cache',
      ACTIONS_RUNTIME_TOKEN: 't',
    };
    const [spec] = parseCacheImports({ importCache: ['type=gha,scope=s'] }, { ...surroundings, env });
    expect(spec!.attrs).to.deep.equal({
      scope: 's',
      token: 't',
      url: 'https://cache',
      url_v2: 'https://results',
    });
  });

  it('need a type, and a registry a reference', () => {
    expect(() => exports('mode=max,type=')).to.throw('requires type=<type>');
    expect(() => imports({ importCache: ['type=registry'] })).to.throw('requires ref');
  });
});

describe('caches of a build request', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'client-caches-'));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const digest = `sha256:${'a'.repeat(64)}`;
  const manifest = JSON.stringify({ mediaType: 'm', digest, size: 5 });
  const nothing = (): void => {};

  it('are tagged in their folder, and found there by the next build', async () => {
    const exported = await prepareCaches([{ type: 'local', attrs: { dest: dir, tag: 't' } }], [], nothing);
    expect([...exported.stores.keys()]).to.deep.equal([`local:${dir}`]);
    await exported.finish({ 'cache.manifest': manifest });
    await exported.finish({ 'cache.manifest': manifest });
    const index = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as { manifests: unknown[] };
    expect(index.manifests).to.have.length(1);
    const { options, opts } = await prepareCaches(
      [],
      [{ type: 'local', attrs: { src: dir, tag: 't' } }],
      nothing,
    );
    expect(options.Imports[0]!.Attrs).to.deep.equal({ src: dir, tag: 't', digest });
    expect(JSON.parse(opts['cache-imports']!)).to.deep.equal([
      { Type: 'local', Attrs: { src: dir, tag: 't', digest } },
    ]);
  });

  it('are tagged by their label, when no response tells of them', async () => {
    const { stores } = await prepareCaches([{ type: 'local', attrs: { dest: dir, tag: 't' } }], [], nothing);
    const store = stores.get(`local:${dir}`)!;
    const data = Buffer.from('{}');
    const blob = { digest: sha256(data), size: data.length };
    const chunks = (async function* () {
      yield data;
    })();
    await store.write(blob, chunks, new AbortController().signal);
    expect(await store.label(blob.digest, { [cacheManifestLabel]: 'm' })).to.equal(true);
    await store.label(blob.digest, { other: 'label' });
    const index = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as { manifests: unknown[] };
    const annotations = { 'org.opencontainers.image.ref.name': 't' };
    expect(index.manifests).to.deep.equal([{ mediaType: 'm', ...blob, annotations }]);
  });

  it('that are not there yet are left out with a warning', async () => {
    const warnings: string[] = [];
    const spec = { type: 'local', attrs: { src: join(dir, 'none') } };
    const { options, stores } = await prepareCaches([], [spec], (text) => warnings.push(text));
    expect([options.Imports.length, stores.size, warnings.length]).to.deep.equal([0, 0, 1]);
  });

  it('are left untagged when nothing was exported', async () => {
    const { finish } = await prepareCaches([{ type: 'local', attrs: { dest: dir } }], [], nothing);
    await finish({});
    const index = await readFile(join(dir, 'index.json')).catch(() => undefined);
    expect(index).to.equal(undefined);
  });
});
