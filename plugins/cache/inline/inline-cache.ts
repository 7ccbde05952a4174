/**
 * Caches that travel in the config of the image they belong to: its layers are the cache's. They are imported like any
 * cache in a registry. BuildKit: cache/remotecache/inline.
 */
import type { CacheBackend, CacheRecord, InlineCache } from '../../../core/contracts/cache.js';
import { invalid, unsupported } from '../../../core/contracts/errors.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import type { Digest } from '../../../core/util/digest.js';
import { type Attributes, CacheAttributes } from '../shared/attributes.js';
import { type CacheConfig, type ConfigRecord, recordsJson } from '../shared/config.js';
import { encodeRecords } from '../shared/encode.js';

export const inlineCache: CacheBackend = {
  inline(attrs: Attributes): InlineCache {
    const reader = new CacheAttributes('inline', attrs);
    // Clients send it with every export; there is only one mode here.
    reader.ignore('mode', 'ignore-error');
    if (reader.boolean('on-failure')) throw needsNoImage('on-failure');
    if (reader.text('every')) throw needsNoImage('every');
    if (reader.text('mounts')) throw holdsNoMounts();
    reader.finish();
    return { embed };
  },
};

const needsNoImage = (name: string): Error =>
  invalid('cache.attribute', `inline cache: ${name} is for caches that are exported without an image`, {
    hint: 'export another one besides, with type=registry or type=local',
  });

/** Its layers are the image's. */
const holdsNoMounts = (): Error =>
  unsupported(
    'cache.attribute',
    'inline cache: mounts is not supported: an image has no room for cache mounts',
    {
      hint: 'export them besides, with type=registry or type=local',
    },
  );

export function embed(records: readonly CacheRecord[], layers: readonly RefLayer[]): Uint8Array | undefined {
  const places = new Map<Digest, number>();
  // By content: the image may have its layers in another compression. Of equal layers the lowest counts.
  for (const [place, { diffId }] of [...layers.entries()].reverse()) places.set(diffId, place);
  const { config, blobs } = encodeRecords(withLayersOf(records, places));
  if (config.layers.length === 0) return undefined;
  const diffIdAt = (index: number): Digest => blobs.get(config.layers[index]!.blob)!.layer.diffId;
  const embedded = config.records.map((record) => placed(record, config, diffIdAt, layers, places));
  return Buffer.from(recordsJson(embedded));
}

/** Results that have other layers than the image are left out; the keys stay. */
function withLayersOf(
  records: readonly CacheRecord[],
  places: ReadonlyMap<Digest, number>,
): readonly CacheRecord[] {
  const kept = new Map<CacheRecord, CacheRecord>();
  for (const record of records) {
    const { digest, result } = record;
    const fits = result?.layers.layers.every(({ diffId }) => places.has(diffId)) ?? false;
    const inputs = record.inputs.map((links) =>
      links.map((link) => ({ ...link, record: kept.get(link.record)! })),
    );
    kept.set(record, { digest, inputs, ...(fits && result ? { result } : {}) });
  }
  return [...kept.values()];
}

/** A result whose layers are the image's first ones is named by the topmost, any other by all of them. */
function placed(
  record: ConfigRecord,
  { layers: table }: CacheConfig,
  diffIdAt: (index: number) => Digest,
  image: readonly RefLayer[],
  places: ReadonlyMap<Digest, number>,
): ConfigRecord {
  const [result] = record.layers;
  if (!result) return record;
  const chain: Digest[] = [];
  for (let at = result.layer; at !== -1; at = table[at]!.parent) chain.unshift(diffIdAt(at));
  const { createdAt } = result;
  if (chain.every((diffId, at) => image[at]?.diffId === diffId)) {
    return { ...record, layers: [{ layer: chain.length - 1, createdAt }] };
  }
  const layers = chain.map((diffId) => places.get(diffId)!);
  return { ...record, layers: [], chains: [{ layers, createdAt }] };
}
