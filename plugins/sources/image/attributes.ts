import { invalid } from '../../../core/contracts/errors.js';
import type { RecordType } from '../../../core/contracts/refs.js';
import type { SourceRequest } from '../../../core/contracts/source.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import {
  type ImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../core/util/image-reference.js';
import type { Platform } from '../../../core/util/platform.js';
import { type Attributes, badAttribute, positiveAttribute, refuseUnknown } from '../shared/attributes.js';

/** What a `docker-image://` op asks for. */
export interface ImageRequest {
  readonly reference: ImageReference;
  readonly platform: Platform;
  /** `pull` asks the registry again even when this build just did. Without a local image store the others agree. */
  readonly resolveMode: ResolveMode;
  readonly recordType: RecordType;
  /** Take only the lowest layers. */
  readonly layerLimit: number | undefined;
  /** The digest that the reference must stand for. */
  readonly checksum: Digest | undefined;
}

const resolveModes = ['default', 'pull', 'local'] as const;
export type ResolveMode = (typeof resolveModes)[number];
const recordTypes = ['regular', 'internal', 'frontend'] as const satisfies readonly RecordType[];

const known = ['image.resolvemode', 'image.recordtype', 'image.layerlimit', 'image.checksum'];

export function parseImageRequest({ name, attrs, platform }: SourceRequest): ImageRequest {
  refuseUnknown('docker-image', attrs, known);
  return {
    reference: parseReference(name),
    platform,
    resolveMode: oneOf(attrs, 'image.resolvemode', resolveModes, 'default'),
    recordType: recordType(attrs),
    layerLimit: positiveAttribute(attrs, 'image.layerlimit'),
    checksum: checksum(attrs),
  };
}

export const recordType = (attrs: Attributes): RecordType =>
  oneOf(attrs, 'image.recordtype', recordTypes, 'regular');

function parseReference(name: string): ImageReference {
  try {
    return withDefaultTag(parseImageReference(name));
  } catch (cause) {
    throw invalid('source.bad-reference', `docker-image://${name}: ${(cause as Error).message}`, { cause });
  }
}

function oneOf<const T extends string>(
  attrs: Attributes,
  name: string,
  values: readonly T[],
  fallback: T,
): T {
  const text = attrs[name] ?? '';
  if (text === '') return fallback;
  const found = values.find((value) => value === text);
  if (found === undefined) throw badAttribute(name, text, values.join(', '));
  return found;
}

function checksum(attrs: Attributes): Digest | undefined {
  const text = attrs['image.checksum'];
  if (text === undefined) return undefined;
  if (!isDigest(text)) throw badAttribute('image.checksum', text, 'a digest');
  return text;
}
