import { expect } from 'chai';
import type { CacheMountLayers, CacheRecord } from '../../../core/contracts/cache.js';
import type { RefLayers } from '../../../core/contracts/refs.js';
import { contentKey, rootKey } from '../../../core/solver/keys/key-id.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { configJson, parseConfig } from '../../../plugins/cache/shared/config.js';
import { decodeConfig, decodeMounts } from '../../../plugins/cache/shared/decode.js';
import { encodeRecords } from '../../../plugins/cache/shared/encode.js';
import { cacheLayers, cacheRecords } from '../../contract/cache.js';

const layers = (count: number): RefLayers => {
  const digests = Array.from({ length: count }, (_, at) => sha256(`layer${at}`));
  const described = cacheLayers(...digests.map(String));
  return {
    ...described,
    layers: described.layers.map((layer, at) => ({
      ...layer,
      descriptor: { ...layer.descriptor, digest: digests[at]! },
    })),
  };
};

/** An image with two keys, a step on it, and a copy of other content. */
function golden(): readonly CacheRecord[] {
  const root = (key: string): CacheRecord => ({ digest: rootKey(sha256(key), 0), inputs: [] });
  const [image, chain] = [root('image'), root('chainid')];
  const content: CacheRecord = { digest: contentKey(sha256('content')), inputs: [] };
  const selector = sha256('/');
  const exec: CacheRecord = {
    digest: rootKey(sha256('exec'), 0),
    inputs: [
      [
        { selector, record: image },
        { selector, record: chain },
      ],
    ],
    result: { layers: layers(2), createdAt: Date.UTC(2024, 0, 2, 3, 4, 5) },
  };
  const copy: CacheRecord = {
    digest: rootKey(sha256('copy'), 0),
    inputs: [[{ record: exec }], [{ record: content }]],
    result: { layers: layers(3), createdAt: Date.UTC(2024, 0, 2, 3, 4, 6, 500) },
  };
  return [image, chain, exec, content, copy];
}

/** Wire facts G5.1. */
const goldenDigest = 'sha256:938bb0a0e8961aefcdb71f348e60896911761c7adc2985454c905f7e396c953f';
const bytes = (records: readonly CacheRecord[]): Buffer =>
  Buffer.from(configJson(encodeRecords(records).config));
const decode = (text: string): readonly CacheRecord[] =>
  decodeConfig(parseConfig(Buffer.from(text), 'x'), nothingKnown, 'x');
const nothingKnown = { layers: new Map(), provider: {} as never };
const decodeMount = (text: string): readonly CacheMountLayers[] =>
  decodeMounts(parseConfig(Buffer.from(text), 'x'), nothingKnown, 'x');

describe('cache configs', () => {
  it('are the bytes that BuildKit writes', () => {
    const written = bytes(golden());
    expect([written.length, sha256(written)]).to.deep.equal([1081, goldenDigest]);
  });

  it('are the same in whatever order records and links come', () => {
    const [image, chain, exec, content, copy] = golden() as [
      CacheRecord,
      CacheRecord,
      CacheRecord,
      CacheRecord,
      CacheRecord,
    ];
    const turned = { ...exec, inputs: exec.inputs.map((links) => links.toReversed()) };
    const top = { ...copy, inputs: [[{ record: turned }], copy.inputs[1]!] };
    expect(sha256(bytes([content, chain, image, turned, top]))).to.equal(goldenDigest);
  });

  it('come back as the records they were made of', () => {
    const records = cacheRecords();
    const { config, blobs } = encodeRecords(records);
    const known = new Map([...blobs].map(([digest, { layer }]) => [digest, layer] as const));
    const back = decodeConfig(config, { layers: known, provider: {} as never }, 'x');
    expect(sha256(bytes(back))).to.equal(sha256(bytes(records)));
  });

  it('keep their keys when no layer is left', () => {
    const back = decode(bytes(golden()).toString());
    expect(back.map(({ digest }) => digest)).to.have.members(golden().map(({ digest }) => digest));
    expect(back.every(({ result }) => result === undefined)).to.equal(true);
  });

  it('whose layers share a beginning name it once', () => {
    const { config } = encodeRecords(golden());
    expect(config.layers).to.have.length(3);
  });

  const digest = sha256('x');
  const link = (to: number): string => `{"digest":"${digest}","inputs":[[{"link":${to}}]]}`;
  for (const [what, text, message] of [
    ['with a link to nowhere', `{"records":[${link(4)}]}`, 'invalid record ID: 4'],
    ['with an empty input', `{"records":[{"digest":"${digest}","inputs":[[]]}]}`, 'invalid empty input'],
    ['that go round in circles', `{"records":[${link(1)},${link(0)}]}`, 'invalid looping record'],
    ['that rest on themselves', `{"records":[${link(0)}]}`, 'invalid looping record'],
    [
      'whose layers go round in circles',
      `{"layers":[{"blob":"${digest}","parent":0}],"records":[{"digest":"${digest}","layers":[{"layer":0}]}]}`,
      'invalid looping layer',
    ],
    [
      'with a layer that is not there',
      `{"records":[{"digest":"${digest}","layers":[{"layer":3}]}]}`,
      'invalid layer index 3',
    ],
    ['that are no JSON', '{', 'unreadable cache config'],
    ['with a digest that is none', '{"records":[{"digest":"x"}]}', 'not a digest'],
  ] as const) {
    it(`${what} are refused`, () => {
      expect(() => decode(text)).to.throw(message);
    });
  }

  describe('with cache mounts', () => {
    const mounts: readonly CacheMountLayers[] = [
      { id: '/npm', based: true, layers: cacheLayers('beyond') },
      { id: '/npm', based: false, layers: cacheLayers('layer one', 'more') },
      { id: '/empty', based: false, layers: cacheLayers() },
    ];

    it('say where their layers are, and leave the rest as it is', () => {
      const { config } = encodeRecords(cacheRecords(), mounts);
      const { mounts: written, ...rest } = JSON.parse(configJson(config));
      const blobOf = (at: number): Digest => config.layers[at]!.blob;
      const told = written.map(({ layer, ...mount }: { layer: number }) => ({
        ...mount,
        blob: blobOf(layer),
      }));
      expect(told).to.deep.equal([
        { id: '/npm', blob: sha256('more') },
        { id: '/npm', based: true, blob: sha256('beyond') },
      ]);
      const { config: without } = encodeRecords(cacheRecords());
      expect(rest.records).to.have.length(without.records.length);
      expect(configJson(without)).to.not.include('mounts');
    });

    it('come back as the mounts they were made of', () => {
      const { config, blobs } = encodeRecords(cacheRecords(), mounts);
      const known = new Map([...blobs].map(([digest, { layer }]) => [digest, layer] as const));
      const parsed = parseConfig(Buffer.from(configJson(config)), 'x');
      const back = decodeMounts(parsed, { layers: known, provider: {} as never }, 'x');
      const blobsOf = ({ layers }: CacheMountLayers): unknown =>
        layers.layers.map(({ descriptor }) => descriptor.digest);
      expect(back.map((mount) => [mount.id, mount.based, blobsOf(mount)])).to.deep.equal([
        ['/npm', false, [sha256('layer one'), sha256('more')]],
        ['/npm', true, [sha256('beyond')]],
      ]);
    });

    it('are the same in whatever order mounts come', () => {
      const json = (list: readonly CacheMountLayers[]): string =>
        configJson(encodeRecords(cacheRecords(), list).config);
      expect(json(mounts.toReversed())).to.equal(json(mounts));
    });

    it('leave out mounts whose layers nobody described', () => {
      const { config } = encodeRecords([], mounts);
      expect(decodeMount(configJson(config))).to.deep.equal([]);
    });

    const one = (mount: string): string =>
      `{"layers":[{"blob":"${digest}","parent":-1}],"mounts":[${mount}]}`;
    for (const [what, text, message] of [
      ['a layer that is not there', one('{"id":"a","layer":1}'), 'invalid layer index 1'],
      ['a layer before the first', one('{"id":"a","layer":-1}'), 'mounts.0.layer'],
      ['half a layer', one('{"id":"a","layer":0.5}'), 'mounts.0.layer'],
      ['no layer', one('{"id":"a"}'), 'mounts.0.layer'],
      ['no id', one('{"layer":0}'), 'mounts.0.id'],
      ['an empty id', one('{"id":"","layer":0}'), 'mounts.0.id'],
      ['an id without end', one(`{"id":"${'a'.repeat(4097)}","layer":0}`), 'mounts.0.id'],
      ['a base that is none', one('{"id":"a","layer":0,"based":1}'), 'mounts.0.based'],
      ['more mounts than anybody has', one(Array(1001).fill('{"id":"a","layer":0}').join()), 'mounts:'],
      ['something that is no list', `{"mounts":{"id":"a"}}`, 'mounts:'],
      [
        'layers that go round in circles',
        `{"layers":[{"blob":"${digest}","parent":0}],"mounts":[{"id":"a","layer":0}]}`,
        'invalid looping layer',
      ],
    ] as const) {
      it(`of ${what} are refused`, () => {
        expect(() => decodeMount(text)).to.throw(message);
      });
    }
  });

  it('of ten thousand steps are no matter', () => {
    const records: CacheRecord[] = [{ digest: sha256('0'), inputs: [] }];
    for (let i = 1; i < 10_000; i++) {
      records.push({ digest: sha256(String(i)), inputs: [[{ record: records[i - 1]! }]] });
    }
    const digests: Digest[] = decode(bytes(records).toString()).map((record) => record.digest);
    expect(new Set(digests).size).to.equal(10_000);
  });
});
