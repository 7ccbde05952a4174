/**
 * From a reference to the manifest, config and layers of one platform. Documents are kept in the content store,
 * labelled with the repository they came from: whoever names that repository and a digest gets them without asking
 * the registry. What comes from a client's own store is asked for every time. Facts: BuildKit util/pull/pull.go, util/imageutil/config.go.
 */
import {
  type ContentStore,
  contentReferenceLabel,
  type Descriptor,
} from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import { type Repository, sourceLabel } from '../../../core/contracts/registry.js';
import { type Digest, hexOf } from '../../../core/util/digest.js';
import { formatImageReference } from '../../../core/util/image-reference.js';
import { isIndexType, isManifestType } from '../../../core/util/media-types.js';
import { formatPlatform, type Platform } from '../../../core/util/platform.js';
import { choosePlatform } from '../../../core/util/platform-match.js';
import {
  detectMediaType,
  type Manifest,
  parseDiffIds,
  parseIndex,
  parseManifest,
} from './image-documents.js';

export interface PulledImage {
  /** What the reference stands for: an index or a manifest. */
  readonly root: Descriptor;
  readonly config: Uint8Array;
  /** Bottom first; as many as `diffIds`. */
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly Digest[];
  /** Root, manifest and config: what a record of the image keeps beside its layers. */
  readonly documents: readonly Digest[];
}

/** Where documents come from when the content store does not have them. */
export interface ImageOrigin extends Pick<Repository, 'reference' | 'resolve' | 'manifest'> {
  /** Of one client: asked every time, and what it answers opens nothing to others. */
  readonly private?: boolean;
}

export async function resolveRoot(
  origin: ImageOrigin,
  content: ContentStore,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { digest } = origin.reference;
  const stored = digest && (await readStored(origin, content, digest));
  if (!stored) return origin.resolve(signal);
  const name = formatImageReference(origin.reference);
  return { mediaType: detectMediaType(stored, name), digest, size: stored.length };
}

export async function pullImage(
  origin: ImageOrigin,
  content: ContentStore,
  root: Descriptor,
  platform: Platform,
  signal: AbortSignal,
): Promise<PulledImage> {
  const name = formatImageReference(origin.reference);
  const read = (descriptor: Descriptor): Promise<Uint8Array> =>
    readDocument(origin, content, descriptor, signal);
  const documents: Digest[] = [];
  let descriptor = root;
  // An index may point to an index; each level must choose, so this ends with a manifest or an error.
  while (isIndexType(descriptor.mediaType)) {
    documents.push(descriptor.digest);
    const entries = parseIndex(await read(descriptor), name);
    descriptor = choosePlatform(platform, entries) ?? noMatch(name, platform, entries);
    if (documents.includes(descriptor.digest)) throw unsupportedType(name, descriptor);
  }
  if (!isManifestType(descriptor.mediaType)) throw unsupportedType(name, descriptor);
  const manifest = parseManifest(await read(descriptor), name);
  const config = await read(manifest.config);
  documents.push(descriptor.digest, manifest.config.digest);
  await keepTogether(content, documents);
  return { root, config, documents, ...layersOf(name, manifest, config) };
}

function layersOf(
  name: string,
  { layers }: Manifest,
  config: Uint8Array,
): { readonly layers: readonly Descriptor[]; readonly diffIds: readonly Digest[] } {
  const diffIds = parseDiffIds(config, name);
  if (diffIds.length === layers.length) return { layers, diffIds };
  throw new BuildError(
    'image.corrupt',
    `${name}: mismatched image rootfs and manifest layers: ${diffIds.length} and ${layers.length}`,
    { grpcCode: 'DataLoss' },
  );
}

async function readDocument(
  origin: ImageOrigin,
  content: ContentStore,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stored = await readStored(origin, content, descriptor.digest);
  if (stored) return stored;
  const data = await origin.manifest(descriptor, signal);
  if (origin.private) {
    await content.writeBlob(data);
    return data;
  }
  const { domain, path } = origin.reference;
  const known = await sourcesOf(content, domain, descriptor.digest);
  const labels = { [sourceLabel(domain)]: [...new Set([...known, path])].join(',') };
  const exists = (await content.info(descriptor.digest)) !== undefined;
  await content.writeBlob(data, labels);
  if (exists) await unlessCollected(content.label(descriptor.digest, labels));
  return data;
}

/** What keeps the first document keeps those it leads to. */
async function keepTogether(content: ContentStore, documents: readonly Digest[]): Promise<void> {
  for (const [i, next] of documents.slice(1).entries()) {
    const holder = documents[i]!;
    const label = contentReferenceLabel(hexOf(next));
    const known = (await content.info(holder))?.labels[label];
    if (known === undefined) await unlessCollected(content.label(holder, { [label]: next }));
  }
}

/** Only what is known to be in this very repository: a digest alone must not open another one's images. */
async function readStored(
  { reference: { domain, path }, private: asked = false }: ImageOrigin,
  content: ContentStore,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  if (asked) return undefined;
  const known = await sourcesOf(content, domain, digest);
  return known.includes(path) ? unlessCollected(content.readBlob(digest)) : undefined;
}

/** Garbage collection may take a document that nobody holds between two looks at it; then it is not there. */
async function unlessCollected<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BuildError && error.code === 'content.not-found') return undefined;
    throw error;
  }
}

async function sourcesOf(content: ContentStore, domain: string, digest: Digest): Promise<readonly string[]> {
  const info = await content.info(digest);
  return info?.labels[sourceLabel(domain)]?.split(',') ?? [];
}

function noMatch(name: string, platform: Platform, entries: readonly Descriptor[]): never {
  const available = entries
    .flatMap((entry) => (entry.platform ? [formatPlatform(entry.platform)] : []))
    .filter((text) => !text.startsWith('unknown/'));
  throw new BuildError(
    'image.no-platform',
    `${name}: no match for platform ${formatPlatform(platform)} in manifest: not found` +
      (available.length > 0 ? ` (available: ${[...new Set(available)].join(', ')})` : ''),
    { grpcCode: 'NotFound' },
  );
}

const unsupportedType = (name: string, { mediaType, digest }: Descriptor): BuildError =>
  new BuildError('image.unsupported-type', `${name}: ${digest} of type "${mediaType}" is no image manifest`, {
    grpcCode: 'FailedPrecondition',
  });
