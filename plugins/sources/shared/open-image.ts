/** A source op whose tree is an image, wherever the image's documents and layers come from. */
import type { ContentProvider } from '../../../core/contracts/content.js';
import { invalid } from '../../../core/contracts/errors.js';
import { type Progress, statusWhile } from '../../../core/contracts/progress.js';
import type { ImmutableRef, LazyLayer, RecordType } from '../../../core/contracts/refs.js';
import type { OpenSource, SourceContext, SourceKey } from '../../../core/contracts/source.js';
import type { Platform } from '../../../core/util/platform.js';
import { contentKey, manifestKey } from './image-keys.js';
import type { PulledImage } from './image-puller.js';

export interface ImageTree {
  /** The reference in full. */
  readonly name: string;
  /** Handed in by the client. */
  readonly local: boolean;
  readonly platform: Platform;
  readonly recordType: RecordType;
  /** Take only the lowest layers. */
  readonly layerLimit: number | undefined;
  /** What layers carry besides their own annotations. */
  readonly layerAnnotations: Readonly<Record<string, string>>;
  pull(context: SourceContext, signal: AbortSignal): Promise<PulledImage>;
  /** Where layers are read, as long as somebody may need them. */
  layers(context: SourceContext): ContentProvider;
}

export class OpenImage implements OpenSource {
  readonly #image: ImageTree;
  #opened: Opened | undefined;

  constructor(image: ImageTree) {
    this.#image = image;
  }

  async cacheKey(index: number, context: SourceContext, signal: AbortSignal): Promise<SourceKey> {
    const { name, platform, layerLimit, local } = this.#image;
    const { pulled } = await this.#open(context, signal);
    const { digest } = pulled.root;
    const first = manifestKey(digest, platform, layerLimit);
    const origin = { kind: 'image', ref: name, platform, digest, local } as const;
    if (index === 0) return { key: first, done: false, origin };
    return { key: contentKey(pulled.diffIds) ?? first, done: true };
  }

  async fetch(context: SourceContext, signal: AbortSignal): Promise<ImmutableRef | undefined> {
    const { pulled, layers } = await this.#open(context, signal);
    return context.worker.refs.fromLayers(layers, {
      description: `pulled from ${this.#image.name}`,
      type: this.#image.recordType,
      blobs: pulled.documents,
    });
  }

  /** Results of earlier builds may stand on layers that were never downloaded: this build can read them. */
  async #open(context: SourceContext, signal: AbortSignal): Promise<Opened> {
    if (this.#opened) return this.#opened;
    const image = this.#image;
    const pulled = await statusWhile(context.progress, `resolve ${image.name}`, async () =>
      limitLayers(await image.pull(context, signal), image.layerLimit, image.name),
    );
    const layers = lazyLayers(pulled, image, image.layers(context), context.progress);
    this.#opened = { pulled, layers };
    context.worker.refs.offerLayers(layers);
    return this.#opened;
  }
}

interface Opened {
  readonly pulled: PulledImage;
  readonly layers: readonly LazyLayer[];
}

function limitLayers(image: PulledImage, limit: number | undefined, name: string): PulledImage {
  if (limit === undefined) return image;
  if (limit <= image.layers.length) {
    return { ...image, layers: image.layers.slice(0, limit), diffIds: image.diffIds.slice(0, limit) };
  }
  throw invalid(
    'image.layer-limit',
    `layer limit ${limit} is greater than the number of layers in the image ${name} (${image.layers.length})`,
  );
}

function lazyLayers(
  pulled: PulledImage,
  { name, layerAnnotations }: ImageTree,
  provider: ContentProvider,
  progress: Progress,
): readonly LazyLayer[] {
  const createdAt = Date.now();
  return pulled.layers.map((descriptor, i) => ({
    descriptor: { ...descriptor, annotations: { ...descriptor.annotations, ...layerAnnotations } },
    diffId: pulled.diffIds[i]!,
    createdAt,
    description: `pulled from ${name}`,
    provider,
    progress,
  }));
}
