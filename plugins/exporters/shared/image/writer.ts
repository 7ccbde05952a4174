/** Makes an image of a result: layers, configs, manifests and, for several platforms, an index. */
import {
  type ContentProvider,
  type ContentStore,
  contentReferenceLabel,
  type Descriptor,
} from '../../../../core/contracts/content.js';
import { invalid } from '../../../../core/contracts/errors.js';
import type { BuildResult, ExportContext } from '../../../../core/contracts/exporter.js';
import { type Progress, statusWhile } from '../../../../core/contracts/progress.js';
import type { RefLayers } from '../../../../core/contracts/refs.js';
import { type Digest, sha256 } from '../../../../core/util/digest.js';
import { mediaTypes } from '../../../../core/util/media-types.js';
import { formatPlatform } from '../../../../core/util/platform.js';
import { imagePurl } from '../../../../core/util/purl.js';
import { metadataOf, type NamedResult, namedResults, sourceDateEpoch } from '../result.js';
import { attestationsOf, makeStatements } from '../statements.js';
import { type AnnotationKind, annotationsFor } from './annotations.js';
import { attestationManifest } from './attestation-manifest.js';
import { imageConfig } from './config.js';
import { type Annotations, indexDocument, manifestDocument } from './documents.js';
import { describeLayer, exportLayers, layerOptions, sourcesOf } from './layers.js';
import { givenNames, type ImageOptions } from './options.js';
import { withLayers } from './sbom-layers.js';

/** A finished image, and where each of its blobs can be read. */
export interface WrittenImage {
  /** The manifest, or the index. */
  readonly root: Descriptor;
  /** Of an image of one platform. */
  readonly configDigest: Digest | undefined;
  /** That of the only platform, or of the first. */
  readonly first: Pick<PlatformImage, 'config' | 'layers'>;
  /** The root comes last. */
  readonly blobs: readonly ImageBlob[];
  readonly sourceDateEpoch: number | undefined;
}
export interface ImageBlob {
  readonly descriptor: Descriptor;
  readonly provider: ContentProvider;
  /** Repositories, by registry, that have it already. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
}

export interface WriteContext extends Pick<ExportContext, 'inlineCache'> {
  readonly progress: Progress;
}

interface PlatformImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly blobs: readonly ImageBlob[];
}

export class ImageWriter {
  readonly #content: ContentStore;

  constructor(content: ContentStore) {
    this.#content = content;
  }

  async write(
    result: BuildResult,
    given: ImageOptions,
    { progress, inlineCache }: WriteContext,
    signal: AbortSignal,
  ): Promise<WrittenImage> {
    const parts = namedResults(result);
    const isIndex = result.multiPlatform || hasAttestations(result, parts, given);
    // Attestations have no place among Docker's types.
    const options: ImageOptions =
      isIndex && result.attestations?.size ? { ...given, mediaTypes: 'oci' } : given;
    checkAnnotations(options, parts, isIndex);
    const epoch = sourceDateEpoch(options.sourceDateEpoch, result);
    if (options.rewriteTimestamp && epoch === undefined) {
      progress.log(
        'stderr',
        Buffer.from('rewrite-timestamp is specified, but no source-date-epoch was found\n'),
      );
    }
    const layers = await exportLayers(parts, options, epoch, progress, signal);
    const caches = await Promise.all(
      parts.map(({ id }, i) => inlineCache?.(id, layers[i]!.layers, layerOptions(options, epoch), signal)),
    );
    const images = await Promise.all(
      parts.map((part, i) =>
        this.#platform(result, part, { ...layers[i]!, cache: caches[i] }, options, epoch, progress),
      ),
    );
    const blobs = images.flatMap((image) => image.blobs);
    const first = images[0]!;
    if (!isIndex) {
      const { manifest, config } = first;
      return { root: manifest, configDigest: config.digest, first, blobs, sourceDateEpoch: epoch };
    }
    const attested = await Promise.all(
      parts.map((part, i) =>
        this.#attestations(result, part, { ...images[i]!, made: layers[i]! }, options, progress, signal),
      ),
    );
    const vouching = attested.flatMap((one) => one ?? []);
    const manifests = [
      ...images.map(({ manifest }) => manifest),
      ...vouching.map(({ manifest }) => manifest),
    ];
    const index = await this.#index(manifests, options, progress);
    return {
      root: index.descriptor,
      configDigest: undefined,
      first,
      blobs: [...blobs, ...vouching.flatMap((one) => one.blobs), index],
      sourceDateEpoch: epoch,
    };
  }

  async #attestations(
    result: BuildResult,
    { id, platform }: NamedResult,
    { manifest: image, made }: PlatformImage & { readonly made: RefLayers },
    options: ImageOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<{ readonly manifest: Descriptor; readonly blobs: readonly ImageBlob[] } | undefined> {
    const attestations = attestationsOf(result, id, { inline: true });
    if (attestations.length === 0) return undefined;
    const names = givenNames(options.name, result);
    const self = names.map((name) => ({
      name: imagePurl('docker', name, platform),
      digest: image.digest,
    }));
    const located = attestations.map((one) => withLayers(one, made));
    const statements = await makeStatements(located, self, signal);
    const { mediaTypes: family, attestationArtifact: artifact } = options;
    const { descriptor, manifest, config, layers } = attestationManifest(image, statements, {
      family,
      artifact,
    });
    const documents = [...layers, config];
    const named = [config.descriptor, ...layers.map((layer) => layer.descriptor)];
    await Promise.all([
      ...documents.map(({ data }) => this.#content.writeBlob(data, {})),
      this.#store(progress, 'attestation manifest', descriptor.digest, manifest, named),
    ]);
    const blobs = [...documents, { descriptor, data: manifest }].map((one) =>
      blobOf(one.descriptor, one.data),
    );
    return { manifest: descriptor, blobs };
  }

  async #platform(
    result: BuildResult,
    part: NamedResult,
    { layers, provider, cache }: RefLayers & { readonly cache: Uint8Array | undefined },
    options: ImageOptions,
    epoch: number | undefined,
    progress: Progress,
  ): Promise<PlatformImage> {
    const isOci = options.mediaTypes === 'oci';
    const config = imageConfig({
      config: metadataOf(result, 'containerimage.config', part.id),
      base: metadataOf(result, 'containerimage.base.config', part.id),
      layers,
      cache,
      sourceDateEpoch: epoch,
    });
    const configBlob = this.#document(isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig, config, {});
    const described = layers.map((layer) => describeLayer(layer, options));
    const annotations = (kind: AnnotationKind): Annotations =>
      annotationsFor(options.annotations, kind, formatPlatform(part.platform));
    const type = isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
    const data = manifestDocument(type, configBlob.descriptor, described, annotations('manifest'));
    const manifest = this.#document(type, data, annotations('manifest-descriptor'));
    await Promise.all([
      this.#store(progress, 'manifest', manifest.descriptor.digest, data, [
        configBlob.descriptor,
        ...described,
      ]),
      this.#store(progress, 'config', configBlob.descriptor.digest, config, []),
    ]);
    return {
      manifest: { ...manifest.descriptor, platform: part.platform },
      config: configBlob.descriptor,
      layers: described,
      blobs: [
        ...described.map((descriptor, i) => ({ descriptor, provider, sources: sourcesOf(layers[i]!) })),
        configBlob,
        manifest,
      ],
    };
  }

  async #index(
    manifests: readonly Descriptor[],
    options: ImageOptions,
    progress: Progress,
  ): Promise<ImageBlob> {
    const type = options.mediaTypes === 'oci' ? mediaTypes.ociIndex : mediaTypes.dockerList;
    const data = indexDocument(type, manifests, annotationsFor(options.annotations, 'index', undefined));
    const index = this.#document(
      type,
      data,
      annotationsFor(options.annotations, 'index-descriptor', undefined),
    );
    await this.#store(progress, 'manifest list', index.descriptor.digest, data, manifests);
    return index;
  }

  #document(mediaType: string, data: Uint8Array, annotations: Annotations): ImageBlob {
    const plain = { mediaType, digest: sha256(data), size: data.length };
    const descriptor = Object.keys(annotations).length > 0 ? { ...plain, annotations } : plain;
    return blobOf(descriptor, data);
  }

  /** Whoever keeps the document keeps what it names. */
  async #store(
    progress: Progress,
    what: string,
    digest: Digest,
    data: Uint8Array,
    names: readonly Descriptor[],
  ): Promise<void> {
    const labels = names.map((named, i) => [contentReferenceLabel(i), named.digest] as const);
    await statusWhile(progress, `exporting ${what} ${digest}`, () =>
      this.#content.writeBlob(data, Object.fromEntries(labels)),
    );
  }
}

/** Inline-only attestations make no index where there is none. */
const hasAttestations = (
  result: BuildResult,
  parts: readonly NamedResult[],
  { inlineAttestations: inline }: ImageOptions,
): boolean => parts.some(({ id }) => attestationsOf(result, id, { inline }).length > 0);

const blobOf = (descriptor: Descriptor, data: Uint8Array): ImageBlob => ({
  descriptor,
  provider: { read: () => once(data) },
  sources: {},
});

async function* once(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}

function checkAnnotations(options: ImageOptions, parts: readonly NamedResult[], isIndex: boolean): void {
  const platforms = parts.map(({ platform }) => formatPlatform(platform));
  for (const { kind, platform } of options.annotations) {
    if (platform !== undefined && !platforms.includes(platform)) {
      throw invalid('exporter.bad-annotation', `invalid annotation: no platform ${platform} found in source`);
    }
    if (!isIndex && (kind === 'index' || kind === 'index-descriptor')) {
      throw invalid('exporter.bad-annotation', 'index annotations not supported for single platform export');
    }
  }
}
