/**
 * The manifests that vouch for an image: its attestations, and a signature of those, with the bytes that a policy needs to
 * check them. Facts: BuildKit source/containerimage/source.go, moby/policy-helpers image.
 */
import type { Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { Repository } from '../../../core/contracts/registry.js';
import type { AttestationChain } from '../../../core/contracts/source.js';
import type { Digest } from '../../../core/util/digest.js';
import { formatImageReference } from '../../../core/util/image-reference.js';
import { isManifestType, mediaTypes } from '../../../core/util/media-types.js';
import { formatPlatform, type Platform } from '../../../core/util/platform.js';
import { choosePlatform } from '../../../core/util/platform-match.js';
import { parseIndex, parseManifest } from '../shared/image-documents.js';

const signatureTypes = [
  // Preferred: a bundle holds everything.
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.cosign.artifact.sig.v1+json',
];

export async function attestationChain(
  repository: Repository,
  root: Descriptor,
  platform: Platform,
  signal: AbortSignal,
): Promise<AttestationChain> {
  const name = formatImageReference(repository.reference);
  if (root.mediaType !== mediaTypes.ociIndex) {
    throw failed(`${name}: expected image index descriptor, got ${root.mediaType}`);
  }
  const blobs = new Map<Digest, { readonly descriptor: Descriptor; readonly data: Uint8Array }>();
  const read = async (descriptor: Descriptor): Promise<Uint8Array> => {
    const data = await repository.manifest(descriptor, signal);
    blobs.set(descriptor.digest, { descriptor, data });
    return data;
  };
  const entries = parseIndex(await read(root), name);
  const image = choosePlatform(platform, entries.filter(isImage));
  if (!image) throw failed(`${name}: no manifest for platform ${formatPlatform(platform)}`);
  const attestation = entries.find((entry) => vouchesFor(entry, image.digest));
  if (attestation) await read(attestation);
  const signature = attestation && (await signatureOf(repository, attestation, signal));
  if (signature) for (const layer of parseManifest(await read(signature), name).layers) await read(layer);
  return {
    root: root.digest,
    imageManifest: image.digest,
    attestationManifest: attestation?.digest,
    signatureManifests: signature ? [signature.digest] : [],
    blobs,
  };
}

const isImage = ({ mediaType, annotations }: Descriptor): boolean =>
  isManifestType(mediaType) && annotations?.['vnd.docker.reference.type'] === undefined;

const vouchesFor = ({ annotations }: Descriptor, image: Digest): boolean =>
  annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' &&
  annotations['vnd.docker.reference.digest'] === image;

async function signatureOf(
  repository: Repository,
  attestation: Descriptor,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const referrers = await repository.referrers(attestation.digest, signal);
  for (const type of signatureTypes) {
    const found = referrers.find(({ artifactType }) => artifactType === type);
    if (found) return found;
  }
  return undefined;
}

const failed = (message: string): BuildError =>
  new BuildError('image.no-attestation-chain', message, { grpcCode: 'FailedPrecondition' });
