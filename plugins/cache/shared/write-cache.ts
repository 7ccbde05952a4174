/** Writes a cache as blobs: layers, then the config, then the manifest. BuildKit: cache/remotecache/export.go. */
import pLimit from 'p-limit';
import type { CacheExportContext, CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { statusWhile } from '../../../core/contracts/progress.js';
import { sha256 } from '../../../core/util/digest.js';
import { goJson } from '../../../core/util/go-json.js';
import { together } from '../../../core/util/together.js';
import { configJson, configMediaType } from './config.js';
import { encodeRecords } from './encode.js';
import { layerDescriptor } from './layer.js';
import { descriptorJson, type ManifestKind, manifestJson, manifestType } from './manifest.js';

/** Where the blobs go. */
export interface CacheTarget {
  /** Nothing to do when it is there already. */
  writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void>;
  writeConfig(config: Descriptor, data: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Comes last; all that it names is there. */
  writeManifest(manifest: Descriptor, data: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** Layers sent at once. */
const AT_ONCE = 8;

/** Answers the response of the build; nothing is written when neither a record nor a cache mount has layers. */
export async function writeCache(
  records: readonly CacheRecord[],
  kind: ManifestKind,
  target: CacheTarget,
  { progress, mounts }: Pick<CacheExportContext, 'progress' | 'mounts'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { config, blobs } = encodeRecords(records, mounts);
  if (config.layers.length === 0) {
    await statusWhile(progress, 'skipping cache export for empty result', async () => {});
    return {};
  }
  const limit = pLimit(AT_ONCE);
  await together(
    blobs.values(),
    ({ layer, provider }, either) =>
      limit(() =>
        statusWhile(progress, `writing layer ${layer.descriptor.digest}`, () =>
          target.writeLayer(layer.descriptor, provider, either),
        ),
      ),
    signal,
  );
  const configBlob = document(configMediaType, configJson(config));
  await statusWhile(progress, `writing config ${configBlob.descriptor.digest}`, () =>
    target.writeConfig(configBlob.descriptor, configBlob.data, signal),
  );
  const layers = config.layers.map(({ blob }) => layerDescriptor(blobs.get(blob)!.layer, kind.mediaTypes));
  const manifest = document(manifestType(kind), manifestJson(kind, configBlob.descriptor, layers));
  const what = kind.imageManifest ? 'cache image manifest' : 'cache manifest';
  await statusWhile(progress, `writing ${what} ${manifest.descriptor.digest}`, () =>
    target.writeManifest(manifest.descriptor, manifest.data, signal),
  );
  return { 'cache.manifest': goJson(descriptorJson(manifest.descriptor)) };
}

function document(
  mediaType: string,
  text: string,
): { readonly descriptor: Descriptor; readonly data: Uint8Array } {
  const data = Buffer.from(text);
  return { descriptor: { mediaType, digest: sha256(data), size: data.length }, data };
}
