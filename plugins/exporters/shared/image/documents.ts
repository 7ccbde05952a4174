/** Descriptors, manifests and indexes as JSON in the byte order of BuildKit (wire facts E8.1). */
import type { Descriptor } from '../../../../core/contracts/content.js';
import { type GoStruct, goJson } from '../../../../core/util/go-json.js';
import { indentJson } from '../../../../core/util/json-text.js';
import { mediaTypes } from '../../../../core/util/media-types.js';
import type { Platform } from '../../../../core/util/platform.js';

export type Annotations = Readonly<Record<string, string>>;

export function descriptorJson({ mediaType, digest, size, ...rest }: Descriptor): GoStruct {
  return {
    mediaType,
    digest,
    size,
    urls: rest.urls?.length ? rest.urls : undefined,
    annotations: annotationsJson(rest.annotations),
    platform: rest.platform && platformJson(rest.platform),
    artifactType: rest.artifactType || undefined,
  };
}

export const platformJson = ({ architecture, os, osVersion, osFeatures, variant }: Platform): GoStruct => ({
  architecture,
  os,
  'os.version': osVersion || undefined,
  'os.features': osFeatures?.length ? osFeatures : undefined,
  variant: variant || undefined,
});

export function manifestDocument(
  mediaType: string,
  config: Descriptor,
  layers: readonly Descriptor[],
  annotations: Annotations,
): Uint8Array {
  return document({
    schemaVersion: 2,
    mediaType,
    config: descriptorJson(config),
    layers: listOrNull(layers.map(descriptorJson)),
    annotations: annotationsJson(annotations),
  });
}

/** What vouches for an image. As an artifact it names the image; otherwise it has the form of one. */
export function attestationDocument(
  mediaType: string,
  config: Descriptor,
  layers: readonly Descriptor[],
  subject: Descriptor | undefined,
): Uint8Array {
  const { mediaType: type, digest, size } = subject ?? {};
  return document({
    schemaVersion: 2,
    mediaType,
    artifactType: subject && attestationArtifact,
    config: { ...descriptorJson(config), data: subject && Buffer.from('{}') },
    layers: listOrNull(layers.map(descriptorJson)),
    subject: subject && { mediaType: type, digest, size },
  });
}

const attestationArtifact = 'application/vnd.docker.attestation.manifest.v1+json';

export function indexDocument(
  mediaType: string,
  manifests: readonly Descriptor[],
  annotations: Annotations,
): Uint8Array {
  return document({
    schemaVersion: 2,
    mediaType,
    manifests: listOrNull(manifests.map(descriptorJson)),
    annotations: annotationsJson(annotations),
  });
}

/** `index.json` of an OCI layout: compact, unlike the documents it points to. */
export const layoutIndex = (manifests: readonly Descriptor[]): Uint8Array =>
  Buffer.from(
    goJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: manifests.map(descriptorJson) }),
  );

const document = (struct: GoStruct): Uint8Array => Buffer.from(indentJson(goJson(struct)));

/** Go writes a list that was never appended to as null. */
const listOrNull = (list: readonly GoStruct[]): readonly GoStruct[] | null => (list.length > 0 ? list : null);

const annotationsJson = (annotations: Annotations = {}): ReadonlyMap<string, string> | undefined =>
  Object.keys(annotations).length > 0 ? new Map(Object.entries(annotations)) : undefined;
