import { expect } from 'chai';
import type { CacheRecord } from '../../../core/contracts/cache.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import { sha256 } from '../../../core/util/digest.js';
import { embed, inlineCache } from '../../../plugins/cache/inline/inline-cache.js';
import { inlineMember, inlineRecords } from '../../../plugins/cache/shared/inline-records.js';
import { cacheLayers } from '../../contract/cache.js';

const image = (...names: readonly string[]): readonly RefLayer[] => cacheLayers(...names).layers;

/** The config of an image with these layers, and records in it. */
const config = (layers: readonly RefLayer[], embedded: Uint8Array | undefined): Buffer =>
  Buffer.from(
    JSON.stringify({
      rootfs: { diff_ids: layers.map(({ diffId }) => diffId) },
      history: [
        { empty_layer: true, created_by: 'ENV' },
        ...layers.map((_, at) => ({ created: `2024-01-01T00:00:0${at}Z`, created_by: `RUN ${at}` })),
      ],
      ...(embedded ? { [inlineMember]: Buffer.from(embedded).toString('base64') } : {}),
    }),
  );

const roundTrip = (records: readonly CacheRecord[], layers: readonly RefLayer[]): readonly CacheRecord[] =>
  inlineRecords(
    config(layers, embed(records, layers)),
    layers.map(({ descriptor }) => descriptor),
    { name: 'x', provider: {} as never },
  );

const names = (records: readonly CacheRecord[], key: string): readonly string[] | undefined =>
  records
    .find(({ digest }) => digest === sha256(key))
    ?.result?.layers.layers.map(({ descriptor }) => descriptor.digest);

const base: CacheRecord = { digest: sha256('base'), inputs: [] };
const step = (key: string, ...layers: readonly string[]): CacheRecord => ({
  digest: sha256(key),
  inputs: [[{ record: base }]],
  result: { layers: cacheLayers(...layers), createdAt: Date.UTC(2024, 1, 1) },
});

describe('inline caches', () => {
  it('name the layers of the image that a record has', () => {
    const records = roundTrip([base, step('one', 'a'), step('two', 'a', 'b')], image('a', 'b', 'c'));
    expect([names(records, 'one'), names(records, 'two')]).to.deep.equal([
      [sha256('a')],
      [sha256('a'), sha256('b')],
    ]);
  });

  it('are not exported without an image', () => {
    const open = (attrs: Readonly<Record<string, string>>) => () => inlineCache.inline!(attrs);
    expect(open({ 'on-failure': 'true' })).to.throw(
      'on-failure is for caches that are exported without an image',
    );
    expect(open({ every: '1m' })).to.throw('every is for caches that are exported without an image');
    expect(open({ 'on-failure': 'false' })).not.to.throw();
  });

  it('name layers one by one that stand in another order', () => {
    const records = roundTrip([base, step('copied', 'c'), step('swapped', 'b', 'a')], image('a', 'b', 'c'));
    expect([names(records, 'copied'), names(records, 'swapped')]).to.deep.equal([
      [sha256('c')],
      [sha256('b'), sha256('a')],
    ]);
  });

  it('keep the keys of records whose layers are elsewhere', () => {
    const records = roundTrip([base, step('in', 'a'), step('out', 'z')], image('a'));
    expect(records.map(({ digest }) => digest)).to.include(sha256('out'));
    expect(names(records, 'out')).to.equal(undefined);
  });

  it('know layers that the image has in another compression', () => {
    const compressed = image('a').map((layer) => ({
      ...layer,
      descriptor: { ...layer.descriptor, digest: sha256('a as zstd') },
    }));
    expect(names(roundTrip([base, step('one', 'a')], compressed), 'one')).to.deep.equal([
      sha256('a as zstd'),
    ]);
  });

  it('have no room for cache mounts, and say so', () => {
    expect(() => inlineCache.inline!({ mounts: 'npm' }))
      .to.throw('mounts is not supported')
      .with.property('grpcCode', 'Unimplemented');
  });

  it('are left out when no record has layers of the image', () => {
    expect(embed([base, step('out', 'z')], image('a'))).to.equal(undefined);
  });

  it('take times and descriptions of layers from the history', () => {
    const [record] = roundTrip([base, step('one', 'a', 'b')], image('a', 'b')).filter(({ result }) => result);
    expect(
      record!.result!.layers.layers.map(({ createdAt, description }) => [createdAt, description]),
    ).to.deep.equal([
      [Date.UTC(2024, 0, 1), 'RUN 0'],
      [Date.UTC(2024, 0, 1, 0, 0, 1), 'RUN 1'],
    ]);
  });

  it('of an image whose layers and config differ in number are ignored', () => {
    const layers = image('a', 'b');
    const data = config(layers, embed([base, step('one', 'a')], layers));
    expect(inlineRecords(data, [layers[0]!.descriptor], { name: 'x', provider: {} as never })).to.deep.equal(
      [],
    );
  });
});
