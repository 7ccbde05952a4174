import { expect } from 'chai';
import type { CacheRecord } from '../../../core/contracts/cache.js';
import type { RefLayers } from '../../../core/contracts/refs.js';
import { contentKey, rootKey } from '../../../core/solver/keys/key-id.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { configJson, parseConfig } from '../../../plugins/cache/shared/config.js';
import { decodeConfig } from '../../../plugins/cache/shared/decode.js';
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
  decodeConfig(parseConfig(Buffer.from(text), 'x'), { layers: new Map(), provider: {} as never }, 'x');

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

  it('of ten thousand steps are no matter', () => {
    const records: CacheRecord[] = [{ digest: sha256('0'), inputs: [] }];
    for (let i = 1; i < 10_000; i++) {
      records.push({ digest: sha256(String(i)), inputs: [[{ record: records[i - 1]! }]] });
    }
    const digests: Digest[] = decode(bytes(records).toString()).map((record) => record.digest);
    expect(new Set(digests).size).to.equal(10_000);
  });
});
