/** The manifest that carries the statements about an image. BuildKit: exporter/containerimage/writer.go; wire facts E8.2. */
import type { Descriptor } from '../../../../core/contracts/content.js';
import { sha256 } from '../../../../core/util/digest.js';
import { goJson } from '../../../../core/util/go-json.js';
import { mediaTypes } from '../../../../core/util/media-types.js';
import type { Platform } from '../../../../core/util/platform.js';
import type { Statement } from '../statements.js';
import { attestationDocument } from './documents.js';

export interface AttestationManifest {
  /** As the index names it. */
  readonly descriptor: Descriptor;
  readonly manifest: Uint8Array;
  readonly config: Document;
  readonly layers: readonly Document[];
}
export interface Document {
  readonly descriptor: Descriptor;
  readonly data: Uint8Array;
}

const unknown: Platform = { architecture: 'unknown', os: 'unknown' };
const inToto = 'application/vnd.in-toto+json';

export function attestationManifest(
  image: Descriptor,
  statements: readonly Statement[],
  { family, artifact }: { readonly family: 'oci' | 'docker'; readonly artifact: boolean },
): AttestationManifest {
  const isOci = family === 'oci';
  const layers = statements.map(({ text, predicateType }) => {
    const layer = documentOf(inToto, Buffer.from(text));
    const annotations = isOci ? { 'in-toto.io/predicate-type': predicateType } : undefined;
    return annotations ? { ...layer, descriptor: { ...layer.descriptor, annotations } } : layer;
  });
  const config = artifact ? emptyConfig : configOf(layers, isOci);
  const manifest = attestationDocument(
    isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest,
    config.descriptor,
    layers.map(({ descriptor }) => descriptor),
    artifact ? image : undefined,
  );
  const { descriptor } = documentOf(isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest, manifest);
  const annotations = {
    'vnd.docker.reference.digest': image.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return { descriptor: { ...descriptor, annotations, platform: unknown }, manifest, config, layers };
}

/** An image config of no system, whose layers are the statements. */
const configOf = (layers: readonly Document[], isOci: boolean): Document =>
  documentOf(
    isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig,
    Buffer.from(
      goJson({
        architecture: 'unknown',
        os: 'unknown',
        config: {},
        rootfs: {
          type: 'layers',
          diff_ids: layers.length > 0 ? layers.map(({ descriptor }) => descriptor.digest) : null,
        },
      }),
    ),
  );

const documentOf = (mediaType: string, data: Uint8Array): Document => ({
  descriptor: { mediaType, digest: sha256(data), size: data.length },
  data,
});

const emptyConfig = documentOf('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
