/** Attributes of all exporters that write images. BuildKit: exporter/containerimage/opts.go. */
import type { Compression, CompressionOptions } from '../../../../core/contracts/differ.js';
import { invalid } from '../../../../core/contracts/errors.js';
import type { BuildResult } from '../../../../core/contracts/exporter.js';
import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../../core/util/image-reference.js';
import type { AttributeReader } from '../attributes.js';
import { type Annotation, annotationPattern, parseAnnotation } from './annotations.js';

export interface ImageOptions {
  /** As given: a comma list, `*` for the frontend's own, or empty. */
  readonly name: string;
  readonly compression: CompressionOptions;
  readonly mediaTypes: 'oci' | 'docker';
  readonly keepNondistributable: boolean;
  readonly annotations: readonly Annotation[];
  /** Seconds. */
  readonly sourceDateEpoch: number | undefined;
  /** Attestation manifests in OCI's form of an artifact, which names its subject. */
  readonly attestationArtifact: boolean;
  /** Also attestations that are only for images that take every one of them. */
  readonly inlineAttestations: boolean;
  /** Clamp the times of files in layers as well, not only those of the image. */
  readonly rewriteTimestamp: boolean;
}

const compressions = ['uncompressed', 'gzip', 'zstd', 'estargz'] as const satisfies readonly Compression[];

export function readImageOptions(
  attrs: AttributeReader,
  defaults: { readonly ociTypes: boolean; readonly inlineAttestations: boolean },
): ImageOptions {
  const attestationArtifact = attrs.boolean('oci-artifact') ?? false;
  const compression = readCompression(attrs);
  const annotations = attrs
    .matching(annotationPattern)
    .map(([match, value]) => parseAnnotation(match, value));
  const ociTypes = attrs.boolean('oci-mediatypes') ?? defaults.ociTypes;
  // Docker's types have no name for zstd, and nowhere to put annotations.
  const needsOci =
    compression.type === 'zstd' ||
    compression.type === 'estargz' ||
    attestationArtifact ||
    annotations.some(({ kind }) => kind !== 'manifest');
  return {
    name: attrs.text('name') ?? '',
    compression,
    mediaTypes: ociTypes || needsOci ? 'oci' : 'docker',
    keepNondistributable: attrs.boolean('prefer-nondist-layers') ?? false,
    annotations,
    sourceDateEpoch: attrs.integer('source-date-epoch'),
    attestationArtifact,
    inlineAttestations: attrs.boolean('attestation-inline') ?? defaults.inlineAttestations,
    rewriteTimestamp: attrs.boolean('rewrite-timestamp') ?? false,
  };
}

function readCompression(attrs: AttributeReader): CompressionOptions {
  const type = attrs.oneOf('compression', compressions) ?? 'gzip';
  const level = attrs.integer('compression-level');
  const max = type === 'zstd' ? 22 : 9;
  if (level !== undefined && (level < 0 || level > max)) {
    throw attrs.bad('compression-level', String(level), `0 to ${max} for ${type}`);
  }
  return {
    type,
    force: attrs.boolean('force-compression') ?? false,
    ...(level === undefined ? {} : { level }),
  };
}

/** The names as they were given. */
export const givenNames = (name: string, result: BuildResult): readonly string[] =>
  (name === '*' ? Buffer.from(result.metadata.get('image.name') ?? []).toString() : name)
    .split(',')
    .filter((part) => part !== '');

/** The names in full: `docker.io/library/x:latest`. */
export const imageNames = (name: string, result: BuildResult): readonly string[] =>
  givenNames(name, result).map((part) => {
    try {
      return formatImageReference(withDefaultTag(parseImageReference(part)));
    } catch (cause) {
      throw invalid('exporter.bad-name', `failed to parse ${part}: ${(cause as Error).message}`, { cause });
    }
  });
