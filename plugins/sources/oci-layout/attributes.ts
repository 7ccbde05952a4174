import { invalid } from '../../../core/contracts/errors.js';
import type { SourceRequest } from '../../../core/contracts/source.js';
import type { Digest } from '../../../core/util/digest.js';
import { type ImageReference, parseImageReference } from '../../../core/util/image-reference.js';
import type { Platform } from '../../../core/util/platform.js';
import { positiveAttribute, refuseUnknown } from '../shared/attributes.js';

/** What an `oci-layout://` op asks for. */
export interface LayoutRequest {
  /** The name is for people; the digest counts. */
  readonly reference: ImageReference & { readonly digest: Digest };
  readonly platform: Platform;
  /** The client's name for the layout. */
  readonly store: string;
  /** The session that has it; empty: whichever of the build has. */
  readonly session: string;
  /** Take only the lowest layers. */
  readonly layerLimit: number | undefined;
}

const known = ['oci.session', 'oci.store', 'oci.layerlimit'];

export function parseLayoutRequest({ name, attrs, platform }: SourceRequest): LayoutRequest {
  refuseUnknown('oci-layout', attrs, known);
  return {
    reference: parseReference(name),
    platform,
    store: attrs['oci.store'] ?? '',
    session: attrs['oci.session'] ?? '',
    layerLimit: positiveAttribute(attrs, 'oci.layerlimit'),
  };
}

function parseReference(name: string): LayoutRequest['reference'] {
  const { digest, ...reference } = parse(name);
  if (digest !== undefined) return { ...reference, digest };
  throw invalid('source.bad-reference', `oci-layout://${name}: reference "${name}" must have digest`, {
    hint: 'layouts are read by digest: take it from the index.json of the layout',
  });
}

function parse(name: string): ImageReference {
  try {
    return parseImageReference(name);
  } catch (cause) {
    throw invalid('source.bad-reference', `oci-layout://${name}: ${(cause as Error).message}`, { cause });
  }
}
