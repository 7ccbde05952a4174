/** A layer between its descriptor in a manifest, which says what it unpacks to, and the form the engine works with. */
import type { Descriptor } from '../../../core/contracts/content.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import { isDigest } from '../../../core/util/digest.js';
import { timeFromMs } from '../../../core/util/go-time.js';
import { layerMediaType } from '../../../core/util/media-types.js';

const uncompressed = 'containerd.io/uncompressed';
const created = 'buildkit/createdat';
const description = 'buildkit/description';
/** Where a layer can be had is said by the place of the cache. */
const sources = /^containerd\.io\/distribution\.source\./;

export function layerDescriptor(
  { descriptor, diffId, createdAt }: RefLayer,
  mediaTypes: 'oci' | 'docker',
): Descriptor {
  const kept = Object.entries(descriptor.annotations ?? {}).filter(([key]) => !sources.test(key));
  return {
    mediaType: layerMediaType(descriptor.mediaType, mediaTypes, false),
    digest: descriptor.digest,
    size: descriptor.size,
    annotations: { ...Object.fromEntries(kept), [uncompressed]: diffId, [created]: timeFromMs(createdAt) },
  };
}

/** undefined for a layer that does not say what it unpacks to: it could not be told from others. */
export function layerOf(descriptor: Descriptor): RefLayer | undefined {
  const { annotations = {} } = descriptor;
  const diffId = annotations[uncompressed];
  if (diffId === undefined || !isDigest(diffId)) return undefined;
  const createdAt = Date.parse(annotations[created] ?? '');
  return {
    descriptor,
    diffId,
    createdAt: Number.isNaN(createdAt) ? 0 : createdAt,
    description: annotations[description] ?? '',
  };
}
