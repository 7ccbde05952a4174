/** What every cache backend must do, wherever it keeps what it is given. */
import { expect } from 'chai';
import type {
  CacheBackend,
  CacheContext,
  CacheMountLayers,
  CacheRecord,
} from '../../core/contracts/cache.js';
import { canceled } from '../../core/contracts/errors.js';
import type { RefLayers } from '../../core/contracts/refs.js';
import { sha256 } from '../../core/util/digest.js';
import { isLayerType, mediaTypes } from '../../core/util/media-types.js';
import { collect } from '../support/fake-registry.js';

export interface CacheSubject {
  readonly backend: CacheBackend;
  readonly context: CacheContext;
  /** Attributes that name one place, not used by another subject. */
  readonly exportAttrs: Readonly<Record<string, string>>;
  /** The same place, given what the export answered. */
  readonly importAttrs: (response: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
}

/** Layers with these bytes, bottom first. */
export function cacheLayers(...contents: readonly string[]): RefLayers {
  const blobs = new Map(contents.map((content) => [sha256(content), Buffer.from(content)]));
  return {
    layers: contents.map((content, at) => ({
      descriptor: {
        mediaType: `${mediaTypes.ociLayer}+gzip`,
        digest: sha256(content),
        size: Buffer.byteLength(content),
      },
      diffId: sha256(`unpacked ${content}`),
      createdAt: Date.UTC(2024, 0, 2, 3, 4, 5, 500 + at),
      description: '',
    })),
    provider: {
      async *read({ digest }, { offset = 0, length }) {
        yield blobs.get(digest)!.subarray(offset, length === undefined ? undefined : offset + length);
      },
    },
  };
}

/** A source, a step on it and a step on that, which reads another source's content as well. */
export function cacheRecords(): readonly [CacheRecord, CacheRecord, CacheRecord, CacheRecord] {
  const createdAt = Date.UTC(2024, 5, 1);
  const base: CacheRecord = { digest: sha256('base'), inputs: [] };
  const content: CacheRecord = { digest: sha256('content'), inputs: [] };
  const step: CacheRecord = {
    digest: sha256('step'),
    inputs: [[{ selector: sha256('/'), record: base }]],
    result: { layers: cacheLayers('layer one', 'layer two'), createdAt },
  };
  const top: CacheRecord = {
    digest: sha256('top'),
    inputs: [[{ record: step }], [{ record: content }]],
    result: { layers: cacheLayers('layer one', 'layer two', 'layer three'), createdAt: createdAt + 1 },
  };
  return [base, content, step, top];
}

/** What a record says, without who it is. */
const told = (records: readonly CacheRecord[]): unknown =>
  records
    .map(({ digest, inputs, result }) => ({
      digest,
      inputs: inputs.map((links) => links.map(({ selector, record }) => [selector, record.digest])),
      createdAt: result?.createdAt,
      layers: result?.layers.layers.map(({ descriptor, diffId, createdAt }) => [
        isLayerType(descriptor.mediaType) && descriptor.mediaType.endsWith('gzip'),
        descriptor.digest,
        descriptor.size,
        diffId,
        createdAt,
      ]),
    }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));

export function cacheContract(name: string, make: () => CacheSubject | Promise<CacheSubject>): void {
  describe(`${name} as a cache`, () => {
    const { signal } = new AbortController();
    let subject: CacheSubject;
    beforeEach(async () => {
      subject = await make();
    });
    const put = (records: readonly CacheRecord[], attrs = {}): Promise<Readonly<Record<string, string>>> =>
      subject.backend.exporter!({ ...subject.exportAttrs, ...attrs }).export(
        records,
        subject.context,
        signal,
      );
    const take = (response: Readonly<Record<string, string>>): Promise<readonly CacheRecord[]> =>
      subject.backend.importer!(subject.importAttrs(response)).import(subject.context, signal);

    it('gives back the records that it was given', async () => {
      const records = cacheRecords();
      expect(told(await take(await put(records)))).to.deep.equal(told(records));
    });

    it('may be exported while a build runs, and when it has failed', () => {
      const open = (attrs: Readonly<Record<string, string>>) =>
        subject.backend.exporter!({ ...subject.exportAttrs, ...attrs });
      expect(open({ 'on-failure': 'true', every: '1m30s' })).to.include({ onFailure: true, every: 90_000 });
      expect(open({})).to.include({ onFailure: false });
      expect(open({}).every).to.equal(undefined);
      expect(() => open({ every: '999ms' })).to.throw(/invalid value "999ms" for every: expected a second/);
      expect(() => open({ every: 'often' })).to.throw(/invalid value "often" for every: expected a duration/);
    });

    it('carries what cache mounts have gathered', async () => {
      const { backend, exportAttrs, importAttrs, context } = subject;
      const mounts: readonly CacheMountLayers[] = [
        { id: '/npm', based: false, layers: cacheLayers('packages') },
        { id: 'ns/go', based: true, layers: cacheLayers('modules') },
      ];
      const open = backend.exporter!({ ...exportAttrs, mounts: 'npm; ns/go;npm;' });
      expect(open.mounts).to.deep.equal(['npm', 'ns/go']);
      const response = await open.export(cacheRecords(), { ...context, mounts }, signal);
      const found: CacheMountLayers[] = [];
      const told = (more: readonly CacheMountLayers[]): void => void found.push(...more);
      await backend.importer!(importAttrs(response)).import({ ...context, mounts: told }, signal);
      const read = async ({
        id,
        based,
        layers: { layers, provider },
      }: CacheMountLayers): Promise<unknown> => {
        const bytes = await Promise.all(
          layers.map(({ descriptor }) => collect(provider.read(descriptor, {}, signal))),
        );
        return [id, based, bytes.map(String)];
      };
      expect(await Promise.all(found.map(read))).to.have.deep.members([
        ['/npm', false, ['packages']],
        ['ns/go', true, ['modules']],
      ]);
    });

    it('carries no cache mounts that nobody named', () => {
      expect(subject.backend.exporter!(subject.exportAttrs).mounts ?? []).to.deep.equal([]);
    });

    it('gives back the bytes of layers, whole and in part', async () => {
      const records = await take(await put(cacheRecords()));
      const { layers, provider } = records.find(({ digest }) => digest === sha256('top'))!.result!.layers;
      const text = async (at: number, range = {}): Promise<string> =>
        (await collect(provider.read(layers[at]!.descriptor, range, signal))).toString();
      expect([await text(0), await text(1), await text(2)]).to.deep.equal([
        'layer one',
        'layer two',
        'layer three',
      ]);
      expect(await text(2, { offset: 6 })).to.equal('three');
    });

    it('keeps what was exported last', async () => {
      const [base, content, step] = cacheRecords();
      await put(cacheRecords());
      const records = await take(await put([base, content, step]));
      expect(records.map(({ digest }) => digest)).to.not.include(sha256('top'));
    });

    it('keeps alternatives of an input apart', async () => {
      const [base, content] = cacheRecords();
      const either: CacheRecord = {
        digest: sha256('either'),
        inputs: [[{ record: content }, { selector: sha256('/x'), record: base }]],
        result: { layers: cacheLayers('layer one'), createdAt: 1000 },
      };
      const [found] = (await take(await put([base, content, either]))).filter(
        ({ inputs }) => inputs.length > 0,
      );
      const links = found!.inputs[0]!.map(({ selector, record }) => `${selector} ${record.digest}`);
      expect(links).to.have.members([`undefined ${content.digest}`, `${sha256('/x')} ${base.digest}`]);
    });

    it('brings nothing from where nothing was exported', async () => {
      const nowhere = { 'cache.manifest': JSON.stringify({ digest: sha256('nothing') }) };
      const answer = await take(nowhere).catch((reason: unknown) => reason);
      if (!(answer instanceof Error)) expect(answer).to.deep.equal([]);
    });

    it('refuses an attribute that nobody knows, and names it', () => {
      expect(() => subject.backend.exporter!({ ...subject.exportAttrs, nonsense: '1' })).to.throw('nonsense');
      expect(() => subject.backend.importer!({ ...subject.importAttrs({}), nonsense: '1' })).to.throw(
        'nonsense',
      );
    });

    it('exports the least unless it is told otherwise', () => {
      const mode = (attrs = {}): string =>
        subject.backend.exporter!({ ...subject.exportAttrs, ...attrs }).mode;
      expect([mode(), mode({ mode: 'min' }), mode({ mode: 'max' })]).to.deep.equal(['min', 'min', 'max']);
      expect(() => mode({ mode: 'more' })).to.throw('more');
    });

    it('stops when it is aborted', async () => {
      const stop = new AbortController();
      stop.abort(canceled());
      const { backend, exportAttrs, context } = subject;
      const error = await backend.exporter!(exportAttrs)
        .export(cacheRecords(), context, stop.signal)
        .catch((reason: unknown) => reason);
      expect(error).to.be.an('error');
    });
  });
}
