/** Resolving references and reading small documents. Facts: containerd remotes/docker resolver.go, fetcher.go. */
import type { Descriptor } from '../contracts/content.js';
import { BuildError } from '../contracts/errors.js';
import { collect } from '../util/chunks.js';
import { type Digest, isDigest, sha256 } from '../util/digest.js';
import { formatImageReference, type ImageReference } from '../util/image-reference.js';
import { isIndexType, isManifestType, isSchema1Type, mediaTypes } from '../util/media-types.js';
import { digestMismatch, manifestNotFound } from './errors.js';
import { firstAnswer, type Link, statusError } from './link.js';
import { discard, type HttpResponse } from './transport.js';

/** Bytes: what a manifest or config may have. Larger ones are refused unread. */
const maxDocument = 8 * 1024 * 1024;

const accept = [
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  '*/*',
].join(', ');

export async function resolveManifest(
  link: Link,
  reference: ImageReference,
  signal: AbortSignal,
): Promise<Descriptor> {
  const name = formatImageReference(reference);
  const url = `manifests/${reference.digest ?? reference.tag ?? 'latest'}`;
  const request = { url, headers: { accept }, signal };
  using _lane = await link.lanes.enter(reference.domain, 'json', signal);
  const head = await firstAnswer(link, { ...request, method: 'HEAD' }, async (response) => {
    await refuse(name, 'HEAD', response);
    await discard(response);
    return describe(reference, response);
  });
  if (head) return head;
  // No digest header, no length, or no type of a manifest's: only the document itself tells.
  return firstAnswer(link, { ...request, method: 'GET' }, async (response) => {
    await refuse(name, 'GET', response);
    const data = await wholeDocument(name, response);
    const digest = sha256(data);
    if (reference.digest && reference.digest !== digest) throw digestMismatch(name, reference.digest, digest);
    const mediaType = isKnownType(contentType(response))
      ? contentType(response)
      : typeOf(name, data, response);
    return supported(name, { mediaType, digest, size: data.length });
  });
}

export async function readManifest(
  link: Link,
  reference: ImageReference,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const what = `${reference.domain}/${reference.path}@${descriptor.digest}`;
  if (descriptor.size > maxDocument) throw tooLarge(what, descriptor.size);
  const isManifest = isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType);
  const url = `${isManifest ? 'manifests' : 'blobs'}/${descriptor.digest}`;
  const headers = { accept: [descriptor.mediaType, '*/*'].join(', ') };
  using _lane = await link.lanes.enter(reference.domain, 'json', signal);
  return firstAnswer(link, { url, headers, method: 'GET', signal }, async (response) => {
    await refuse(what, 'GET', response);
    const data = await wholeDocument(what, response);
    const digest = sha256(data);
    if (digest !== descriptor.digest) throw digestMismatch(what, descriptor.digest, digest);
    return data;
  });
}

async function refuse(name: string, method: string, response: HttpResponse): Promise<void> {
  if (response.status < 300) return;
  if (response.status !== 404) throw await statusError(method, response);
  await discard(response);
  throw manifestNotFound(name);
}

const isKnownType = (type: string): boolean =>
  isManifestType(type) || isIndexType(type) || isSchema1Type(type);

/** Some servers know manifests as files only. What it is, it says itself, or its members do. */
function typeOf(name: string, data: Uint8Array, response: HttpResponse): string {
  const document = parseObject(data);
  const said = document?.mediaType;
  if (typeof said === 'string' && isKnownType(said)) return said;
  if (Array.isArray(document?.manifests)) return mediaTypes.ociIndex;
  if (document?.config && Array.isArray(document.layers)) return mediaTypes.ociManifest;
  throw new BuildError(
    'registry.protocol',
    `${name}: ${response.url} sent no image manifest, but ${contentType(response) || 'something without a type'}`,
    { hint: 'a proxy or a login page between here and the registry may be answering in its place' },
  );
}

function parseObject(data: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // answered as what it is not, with its address
  }
}

/** Without a digest, a length or a type in the headers: undefined. */
function describe(reference: ImageReference, { headers, ...response }: HttpResponse): Descriptor | undefined {
  const name = formatImageReference(reference);
  const digest = reference.digest ?? (headers['docker-content-digest'] as Digest | undefined);
  const length = headers['content-length'];
  if (digest === undefined || typeof length !== 'string') return undefined;
  if (!isDigest(digest)) {
    throw new BuildError('registry.protocol', `${name}: "${digest}" in the header is not a digest`);
  }
  const size = Number(length);
  if (size > maxDocument) throw tooLarge(name, size);
  const mediaType = contentType({ headers, ...response });
  return isKnownType(mediaType) ? supported(name, { mediaType, digest, size }) : undefined;
}

async function wholeDocument(name: string, response: HttpResponse): Promise<Uint8Array> {
  const data = await collect(response.body, maxDocument);
  if (data === undefined) throw tooLarge(name, Number(response.headers['content-length'] ?? Number.NaN));
  return data;
}

function supported(name: string, descriptor: Descriptor): Descriptor {
  if (!isSchema1Type(descriptor.mediaType)) return descriptor;
  throw new BuildError(
    'registry.schema1',
    `${name}: Docker Image manifest version 2, schema 1 is not supported (${descriptor.mediaType})`,
    {
      grpcCode: 'FailedPrecondition',
      hint: 'pull and push the image again with a current client; see https://docs.docker.com/go/deprecated-image-specs/',
    },
  );
}

const contentType = ({ headers }: HttpResponse): string => {
  const type = headers['content-type'];
  return typeof type === 'string' ? type.split(';', 1)[0]!.trim() : '';
};

const tooLarge = (name: string, size: number): BuildError =>
  new BuildError(
    'registry.manifest-too-large',
    `${name}: rejecting a manifest of ${Number.isNaN(size) ? 'more than' : `${size} bytes, the limit is`} ${maxDocument} bytes`,
    { grpcCode: 'ResourceExhausted' },
  );
