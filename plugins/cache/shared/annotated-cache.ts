/**
 * Caches in stores that have no manifests: the config describes its layers itself. BuildKit: cache/remotecache/{s3,gha,azblob};
 * wire facts E6.8 and E6.9.
 */
import pLimit from 'p-limit';
import type { CacheExportContext, CacheImportContext, CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { statusWhile } from '../../../core/contracts/progress.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { timeFromMs } from '../../../core/util/go-time.js';
import { together } from '../../../core/util/together.js';
import { type CacheConfig, type ConfigLayer, configJson, parseConfig } from './config.js';
import { decodeConfig, decodeMounts } from './decode.js';
import { encodeRecords, type LayerSource } from './encode.js';

export interface ObjectTarget {
  /** Whether the layer is there already; a store that forgets what is old is told that it is still in use. */
  hasLayer(layer: Descriptor, signal: AbortSignal): Promise<boolean>;
  writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void>;
  /** Comes last; all that it names is there. */
  writeConfig(data: Uint8Array, signal: AbortSignal): Promise<void>;
}

export async function writeAnnotated(
  records: readonly CacheRecord[],
  target: ObjectTarget,
  atOnce: number,
  { progress, mounts }: Pick<CacheExportContext, 'progress' | 'mounts'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { config, blobs } = encodeRecords(records, mounts);
  const limit = pLimit(atOnce);
  const send = async (
    { layer: { descriptor }, provider }: LayerSource,
    either: AbortSignal,
  ): Promise<void> => {
    if (await target.hasLayer(descriptor, either)) return;
    await statusWhile(progress, `writing layer ${descriptor.digest}`, () =>
      target.writeLayer(descriptor, provider, either),
    );
  };
  await together(blobs.values(), (source, either) => limit(() => send(source, either)), signal);
  const annotated = { ...config, layers: config.layers.map((layer) => annotate(layer, blobs)) };
  await target.writeConfig(Buffer.from(configJson(annotated)), signal);
  return {};
}

function annotate(layer: ConfigLayer, blobs: ReadonlyMap<Digest, LayerSource>): ConfigLayer {
  const { descriptor, diffId, createdAt } = blobs.get(layer.blob)!.layer;
  const { mediaType, size } = descriptor;
  return { ...layer, annotations: { mediaType, diffID: diffId, size, createdAt: timeFromMs(createdAt) } };
}

export function readAnnotated(
  data: Uint8Array,
  provider: ContentProvider,
  name: string,
  context: Pick<CacheImportContext, 'mounts'>,
): readonly CacheRecord[] {
  const config = parseConfig(data, name);
  const known = { layers: describedLayers(config), provider };
  const records = decodeConfig(config, known, name);
  context.mounts?.(decodeMounts(config, known, name));
  return records;
}

function describedLayers({ layers }: CacheConfig): ReadonlyMap<Digest, RefLayer> {
  const described = layers.flatMap(({ blob, annotations }): [Digest, RefLayer][] => {
    const { diffID, mediaType = '', size = 0, createdAt = '' } = annotations ?? {};
    if (!diffID || !isDigest(diffID)) return [];
    const time = Date.parse(createdAt);
    const descriptor = { mediaType, digest: blob, size };
    return [[blob, { descriptor, diffId: diffID, createdAt: Math.max(time || 0, 0), description: '' }]];
  });
  return new Map(described);
}
