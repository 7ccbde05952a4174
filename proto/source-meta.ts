/** What is known of a source, and what is asked about it: the contracts' terms against the wire's. */
import type { Descriptor } from '../core/contracts/content.js';
import type { PolicyInquiry } from '../core/contracts/session.js';
import type { AttestationChain, GitMeta, HttpMeta, ImageMeta, SourceMeta } from '../core/contracts/source.js';
import type { PolicySource } from '../core/contracts/source-policy.js';
import type { Digest } from '../core/util/digest.js';
import type { Platform } from '../core/util/platform.js';
import { gateway, type Init, type pb } from './index.js';
import { millisecondsOf, timestampOf } from './timestamp.js';

export const sourceToProto = ({ identifier, attrs }: PolicySource): pb.SourceOp => ({
  identifier,
  attrs: { ...attrs },
});

export const platformToProto = (platform: Platform): pb.Platform => ({
  OS: platform.os,
  Architecture: platform.architecture,
  Variant: platform.variant ?? '',
  OSVersion: platform.osVersion ?? '',
  OSFeatures: [...(platform.osFeatures ?? [])],
});

export const platformFromProto = (platform: pb.Platform): Platform => ({
  os: platform.OS,
  architecture: platform.Architecture,
  ...(platform.Variant ? { variant: platform.Variant } : {}),
  ...(platform.OSVersion ? { osVersion: platform.OSVersion } : {}),
  ...(platform.OSFeatures.length > 0 ? { osFeatures: platform.OSFeatures } : {}),
});

/** `noConfig` leaves an image's config out. */
export function metaToProto(
  source: PolicySource,
  { image, git, http }: Omit<SourceMeta, 'identifier'>,
  noConfig = false,
): Init<gateway.ResolveSourceMetaResponse> {
  return {
    Source: sourceToProto(source),
    ...(image ? { Image: imageToProto(image, noConfig) } : {}),
    ...(git ? { Git: gitToProto(git) } : {}),
    ...(http ? { HTTP: httpToProto(http) } : {}),
  };
}

export function metaFromProto(
  response: gateway.ResolveSourceMetaResponse,
): Omit<SourceMeta, 'identifier'> | undefined {
  const { Image, Git, HTTP } = response;
  if (!Image && !Git && !HTTP) return undefined;
  return {
    ...(Image ? { image: imageFromProto(Image) } : {}),
    ...(Git ? { git: gitFromProto(Git) } : {}),
    ...(HTTP ? { http: httpFromProto(HTTP) } : {}),
  };
}

const imageToProto = (
  { digest, config, attestationChain }: ImageMeta,
  noConfig: boolean,
): Init<gateway.ResolveSourceImageResponse> => ({
  Digest: digest,
  ...(noConfig ? {} : { Config: config }),
  ...(attestationChain ? { AttestationChain: chainToProto(attestationChain) } : {}),
});

const imageFromProto = (image: gateway.ResolveSourceImageResponse): ImageMeta => ({
  digest: image.Digest as Digest,
  config: image.Config,
  ...(image.AttestationChain ? { attestationChain: chainFromProto(image.AttestationChain) } : {}),
});

function chainToProto(chain: AttestationChain): Init<gateway.AttestationChain> {
  const blobs = [...chain.blobs].map(([digest, { descriptor, data }]) => [
    digest,
    { descriptor: descriptorToProto(descriptor), data },
  ]);
  return {
    Root: chain.root,
    ImageManifest: chain.imageManifest ?? '',
    AttestationManifest: chain.attestationManifest ?? '',
    SignatureManifests: [...chain.signatureManifests],
    Blobs: Object.fromEntries(blobs),
  };
}

function chainFromProto(chain: gateway.AttestationChain): AttestationChain {
  const blobs = Object.entries(chain.Blobs).map(([digest, { descriptor, data }]) => {
    const known = descriptor ?? gateway.Descriptor.create({ digest, size: data.length });
    return [digest as Digest, { descriptor: descriptorFromProto(known), data }] as const;
  });
  return {
    root: chain.Root as Digest,
    imageManifest: (chain.ImageManifest || undefined) as Digest | undefined,
    attestationManifest: (chain.AttestationManifest || undefined) as Digest | undefined,
    signatureManifests: chain.SignatureManifests as Digest[],
    blobs: new Map(blobs),
  };
}

const descriptorToProto = ({
  mediaType,
  digest,
  size,
  annotations,
}: Descriptor): Init<gateway.Descriptor> => ({
  mediaType,
  digest,
  size,
  annotations: { ...annotations },
});

const descriptorFromProto = ({ mediaType, digest, size, annotations }: gateway.Descriptor): Descriptor => ({
  mediaType,
  digest: digest as Digest,
  size,
  annotations,
});

const gitToProto = (git: GitMeta): Init<gateway.ResolveSourceGitResponse> => ({
  Ref: git.ref,
  Checksum: git.checksum,
  CommitChecksum: git.commitChecksum ?? '',
  ...(git.commitObject ? { CommitObject: git.commitObject } : {}),
  ...(git.tagObject ? { TagObject: git.tagObject } : {}),
});

const gitFromProto = (git: gateway.ResolveSourceGitResponse): GitMeta => ({
  ref: git.Ref,
  checksum: git.Checksum,
  commitChecksum: git.CommitChecksum || undefined,
  ...(git.CommitObject.length > 0 ? { commitObject: git.CommitObject } : {}),
  ...(git.TagObject.length > 0 ? { tagObject: git.TagObject } : {}),
});

const httpToProto = ({
  digest,
  filename,
  lastModified,
}: HttpMeta): Init<gateway.ResolveSourceHTTPResponse> => ({
  Checksum: digest,
  Filename: filename,
  ...(lastModified === undefined ? {} : { LastModified: timestampOf(lastModified) }),
});

const httpFromProto = (http: gateway.ResolveSourceHTTPResponse): HttpMeta => ({
  digest: http.Checksum as Digest,
  filename: http.Filename,
  lastModified: http.LastModified && millisecondsOf(http.LastModified),
});

export function inquiryFromProto(request: gateway.ResolveSourceMetaRequest): PolicyInquiry {
  const source = request.Source ?? { identifier: '', attrs: {} };
  return {
    source: { identifier: source.identifier, attrs: source.attrs },
    ...(request.Platform ? { platform: platformFromProto(request.Platform) } : {}),
    ...(request.LogName ? { logName: request.LogName } : {}),
    ...(request.ResolveMode ? { resolveMode: request.ResolveMode } : {}),
    noConfig: request.Image?.NoConfig ?? false,
    attestationChain: request.Image?.AttestationChain ?? false,
    returnObjects: request.Git?.ReturnObject ?? false,
  };
}

export const inquiryToProto = (inquiry: PolicyInquiry): Init<gateway.ResolveSourceMetaRequest> => ({
  Source: sourceToProto(inquiry.source),
  ...(inquiry.platform ? { Platform: platformToProto(inquiry.platform) } : {}),
  LogName: inquiry.logName ?? '',
  ResolveMode: inquiry.resolveMode ?? '',
  Image: { NoConfig: inquiry.noConfig ?? false, AttestationChain: inquiry.attestationChain ?? false },
  ...(inquiry.returnObjects ? { Git: { ReturnObject: true } } : {}),
});
