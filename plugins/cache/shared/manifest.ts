/** The manifest of a cache: an index, or an image manifest whose config is the cache's. Wire facts E6.3. */
import type { Descriptor } from '../../../core/contracts/content.js';
import { invalid } from '../../../core/contracts/errors.js';
import { type GoStruct, goJson } from '../../../core/util/go-json.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import type { CacheAttributes } from './attributes.js';

export interface ManifestKind {
  readonly imageManifest: boolean;
  readonly mediaTypes: 'oci' | 'docker';
}

/** Without OCI's types there is no image manifest. */
export function readManifestKind(attrs: CacheAttributes): ManifestKind {
  const oci = attrs.boolean('oci-mediatypes') ?? true;
  const imageManifest = attrs.boolean('image-manifest') ?? oci;
  if (imageManifest && !oci) {
    throw invalid(
      'cache.attribute',
      'invalid configuration for remote cache, OCI mediatypes are required for image-manifest cache format',
    );
  }
  return { imageManifest, mediaTypes: oci ? 'oci' : 'docker' };
}

export function manifestType({ imageManifest, mediaTypes: family }: ManifestKind): string {
  if (imageManifest) return mediaTypes.ociManifest;
  return family === 'oci' ? mediaTypes.ociIndex : mediaTypes.dockerList;
}

export function manifestJson(kind: ManifestKind, config: Descriptor, layers: readonly Descriptor[]): string {
  const head = { schemaVersion: 2, mediaType: manifestType(kind) };
  const listed = layers.map(descriptorJson);
  if (kind.imageManifest) return goJson({ ...head, config: descriptorJson(config), layers: listed });
  return goJson({ ...head, manifests: [...listed, descriptorJson(config)] });
}

export const descriptorJson = ({ mediaType, digest, size, urls, annotations }: Descriptor): GoStruct => ({
  mediaType,
  digest,
  size,
  urls: urls?.length ? urls : undefined,
  annotations:
    annotations && Object.keys(annotations).length > 0 ? new Map(Object.entries(annotations)) : undefined,
});
