/**
 * Reads what a reference stands for: a cache with a config of its own, or images that carry records inline. Only documents
 * are read; layers stay where they are. BuildKit: cache/remotecache/import.go.
 */
import * as z from 'zod';
import type { CacheImportContext, CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { isIndexType, isManifestType } from '../../../core/util/media-types.js';
import { together } from '../../../core/util/together.js';
import { configMediaType, corrupt, parseConfig } from './config.js';
import { decodeConfig, decodeMounts } from './decode.js';
import { inlineRecords } from './inline-records.js';
import { layerOf } from './layer.js';

export interface CacheOrigin {
  /** For errors. */
  readonly name: string;
  readonly provider: ContentProvider;
  /** Of the import: it is told of cache mounts. */
  readonly context: Pick<CacheImportContext, 'mounts'>;
  /** Said of every layer that comes from here. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** A small blob, whole and verified. */
  document(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;
}

export async function readCache(
  origin: CacheOrigin,
  root: Descriptor,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const data = await origin.document(root, signal);
  const manifest = parseManifest(data, origin.name);
  const config = manifest.all.find(({ mediaType }) => mediaType === configMediaType);
  if (!config) return inlineCaches(origin, manifest, signal);
  const layers = manifest.all.filter((descriptor) => descriptor !== config);
  const parsed = parseConfig(await origin.document(config, signal), origin.name);
  const known = layersOf(layers.map((layer) => annotated(layer, origin)));
  const source = { layers: known, provider: origin.provider };
  const records = decodeConfig(parsed, source, origin.name);
  origin.context.mounts?.(decodeMounts(parsed, source, origin.name));
  return records;
}

const annotated = (layer: Descriptor, { annotations }: CacheOrigin): Descriptor => ({
  ...layer,
  annotations: { ...layer.annotations, ...annotations },
});

function layersOf(descriptors: readonly Descriptor[]): ReadonlyMap<Digest, RefLayer> {
  return new Map(
    descriptors.flatMap((descriptor): [Digest, RefLayer][] => {
      const layer = layerOf(descriptor);
      return layer ? [[descriptor.digest, layer]] : [];
    }),
  );
}

/** An index may name an index; what was read is not read again. */
async function inlineCaches(
  origin: CacheOrigin,
  top: Manifest,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const images: Manifest[] = [];
  const seen = new Set<Digest>();
  const open = [top];
  for (let manifest = open.pop(); manifest; manifest = open.pop()) {
    if (manifest.config) images.push(manifest);
    const fresh = manifest.manifests.filter(({ digest }) => !seen.has(digest));
    for (const { digest } of fresh) seen.add(digest);
    const read = async (descriptor: Descriptor, either: AbortSignal): Promise<Manifest> =>
      parseManifest(await origin.document(descriptor, either), origin.name);
    open.push(...(await together(fresh, read, signal)));
  }
  const found = await together(
    images.filter(({ layers }) => layers.length > 0),
    async ({ config, layers }, either) =>
      inlineRecords(
        await origin.document(config!, either),
        layers.map((layer) => annotated(layer, origin)),
        origin,
      ),
    signal,
  );
  return found.flat();
}

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
const descriptor = z
  .object({
    mediaType: z.string().default(''),
    digest,
    size: z.int().min(0),
    annotations: z.record(z.string(), z.string()).nullish(),
    urls: z.array(z.string()).nullish(),
  })
  .transform(
    (raw): Descriptor => ({
      mediaType: raw.mediaType,
      digest: raw.digest,
      size: raw.size,
      ...(raw.annotations ? { annotations: raw.annotations } : {}),
      ...(raw.urls ? { urls: raw.urls } : {}),
    }),
  );
const schema = z.object({
  mediaType: z.string().optional(),
  config: descriptor.nullish(),
  layers: z.array(descriptor).nullish(),
  manifests: z.array(descriptor).nullish(),
});

interface Manifest {
  readonly config: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
  readonly all: readonly Descriptor[];
}

function parseManifest(data: Uint8Array, name: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString());
  } catch (error) {
    throw corrupt(name, (error as Error).message);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw corrupt(name, parsed.error.issues[0]!.message);
  const { mediaType, config, layers, manifests } = parsed.data;
  const known = mediaType === undefined || isIndexType(mediaType) || isManifestType(mediaType);
  if (!known) throw corrupt(name, `${mediaType} is neither a manifest nor an index`);
  const all = [...(config ? [config] : []), ...(layers ?? []), ...(manifests ?? [])];
  return { config: config ?? undefined, layers: layers ?? [], manifests: manifests ?? [], all };
}
