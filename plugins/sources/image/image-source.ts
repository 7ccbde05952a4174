import type { ContentProvider, ContentStore, Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import { type Progress, statusWhile } from '../../../core/contracts/progress.js';
import type { ImmutableRef, LazyLayer } from '../../../core/contracts/refs.js';
import { type Registries, type Repository, sourceLabel } from '../../../core/contracts/registry.js';
import type { SessionGroup } from '../../../core/contracts/session.js';
import type {
  OpenSource,
  ResolveContext,
  Source,
  SourceContext,
  SourceMeta,
  SourceRequest,
} from '../../../core/contracts/source.js';
import { formatImageReference, type ImageReference } from '../../../core/util/image-reference.js';
import { formatPlatform } from '../../../core/util/platform.js';
import { type PulledImage, pullImage, resolveRoot } from '../shared/image-puller.js';
import { type ImageRequest, parseImageRequest } from './attributes.js';
import { contentKey, manifestKey } from './keys.js';
import { SharedAnswers } from './shared-answers.js';

/** `docker-image://`: images from registries, pulled layer by layer when something reads them. */
export class ImageSource implements Source {
  readonly #registries: Registries;
  readonly #content: ContentStore;
  readonly #roots = new SharedAnswers<Descriptor>();
  readonly #images = new SharedAnswers<PulledImage>();

  constructor(registries: Registries, content: ContentStore) {
    this.#registries = registries;
    this.#content = content;
  }

  open(request: SourceRequest): OpenSource {
    return new OpenImage(parseImageRequest(request), this);
  }

  async resolve(request: SourceRequest, context: ResolveContext, signal: AbortSignal): Promise<SourceMeta> {
    const image = parseImageRequest(request);
    return context.steps.step(context.logName, async (progress) => {
      const { root, config } = await this.pull(image, context.sessions, progress, signal);
      const identifier = `docker-image://${formatImageReference({ ...image.reference, digest: root.digest })}`;
      return { identifier, image: { digest: root.digest, config } };
    });
  }

  repository({ reference }: ImageRequest, sessions: SessionGroup, progress: Progress): Repository {
    const log = (line: string): void => progress.log('stderr', Buffer.from(line));
    return this.#registries.repository(reference, { actions: 'pull', sessions, log });
  }

  async pull(
    image: ImageRequest,
    sessions: SessionGroup,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<PulledImage> {
    const name = formatImageReference(image.reference);
    const fresh = image.resolveMode === 'pull';
    const repository = this.repository(image, sessions, progress);
    const root = await this.#roots.get(
      { key: name, sessions, fresh },
      (shared) => resolveRoot(repository, this.#content, shared),
      signal,
    );
    if (image.checksum !== undefined && root.digest !== image.checksum) {
      throw new BuildError(
        'image.checksum-mismatch',
        `image digest ${root.digest} for ${name} does not match expected checksum ${image.checksum}`,
        { grpcCode: 'FailedPrecondition' },
      );
    }
    const pulled = await this.#images.get(
      { key: `${name} ${root.digest} ${formatPlatform(image.platform)}`, sessions, fresh: false },
      (shared) => pullImage(repository, this.#content, root, image.platform, shared),
      signal,
    );
    return limitLayers(pulled, image.layerLimit, name);
  }
}

class OpenImage implements OpenSource {
  readonly #image: ImageRequest;
  readonly #source: ImageSource;
  #opened: OpenedImage | undefined;

  constructor(image: ImageRequest, source: ImageSource) {
    this.#image = image;
    this.#source = source;
  }

  async cacheKey(
    index: number,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<{ readonly key: string; readonly done: boolean }> {
    const { platform, layerLimit } = this.#image;
    const { pulled } = await this.#open(context, signal);
    const first = manifestKey(pulled.root.digest, platform, layerLimit);
    if (index === 0) return { key: first, done: false };
    return { key: contentKey(pulled.diffIds) ?? first, done: true };
  }

  async fetch(context: SourceContext, signal: AbortSignal): Promise<ImmutableRef | undefined> {
    const { pulled, layers } = await this.#open(context, signal);
    return context.worker.refs.fromLayers(layers, {
      description: `pulled from ${formatImageReference(this.#image.reference)}`,
      type: this.#image.recordType,
      blobs: pulled.documents,
    });
  }

  /** Results of earlier builds may stand on layers that were never downloaded: this build can read them. */
  async #open({ worker, sessions, progress }: SourceContext, signal: AbortSignal): Promise<OpenedImage> {
    if (this.#opened) return this.#opened;
    const { reference } = this.#image;
    const name = formatImageReference(reference);
    const pulled = await statusWhile(progress, `resolve ${name}`, () =>
      this.#source.pull(this.#image, sessions, progress, signal),
    );
    const { blobs } = this.#source.repository(this.#image, sessions, progress);
    this.#opened = { pulled, layers: lazyLayers(pulled, reference, name, blobs) };
    worker.refs.offerLayers(this.#opened.layers);
    return this.#opened;
  }
}

interface OpenedImage {
  readonly pulled: PulledImage;
  readonly layers: readonly LazyLayer[];
}

function limitLayers(image: PulledImage, limit: number | undefined, name: string): PulledImage {
  if (limit === undefined) return image;
  if (limit <= image.layers.length) {
    return { ...image, layers: image.layers.slice(0, limit), diffIds: image.diffIds.slice(0, limit) };
  }
  throw new BuildError(
    'image.layer-limit',
    `layer limit ${limit} is greater than the number of layers in the image ${name} (${image.layers.length})`,
    { grpcCode: 'InvalidArgument' },
  );
}

function lazyLayers(
  image: PulledImage,
  { domain, path }: ImageReference,
  name: string,
  provider: ContentProvider,
): readonly LazyLayer[] {
  const createdAt = Date.now();
  const source = { [sourceLabel(domain)]: path };
  return image.layers.map((descriptor, i) => ({
    // A push to the same registry can then mount the layer instead of sending it.
    descriptor: { ...descriptor, annotations: { ...descriptor.annotations, ...source } },
    diffId: image.diffIds[i]!,
    createdAt,
    description: `pulled from ${name}`,
    provider,
  }));
}
