import type { ContentStore, Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { Progress } from '../../../core/contracts/progress.js';
import { type Registries, type Repository, sourceLabel } from '../../../core/contracts/registry.js';
import type { SessionGroup } from '../../../core/contracts/session.js';
import type {
  OpenSource,
  ResolveContext,
  Source,
  SourceMeta,
  SourceRequest,
} from '../../../core/contracts/source.js';
import { formatImageReference } from '../../../core/util/image-reference.js';
import { formatPlatform } from '../../../core/util/platform.js';
import { type PulledImage, pullImage, resolveRoot } from '../shared/image-puller.js';
import { OpenImage } from '../shared/open-image.js';
import { SharedAnswers } from '../shared/shared-answers.js';
import { attestationChain } from './attestation-chain.js';
import { type ImageRequest, parseImageRequest } from './attributes.js';

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
    const image = parseImageRequest(request);
    const { domain, path } = image.reference;
    return new OpenImage({
      ...image,
      name: formatImageReference(image.reference),
      local: false,
      // A push to the same registry can then mount the layer instead of sending it.
      layerAnnotations: { [sourceLabel(domain)]: path },
      pull: ({ sessions, progress }, signal) => this.pull(image, sessions, progress, signal),
      layers: ({ sessions, progress }) => this.repository(image, sessions, progress).blobs,
    });
  }

  async resolve(request: SourceRequest, context: ResolveContext, signal: AbortSignal): Promise<SourceMeta> {
    const image = parseImageRequest(request);
    return context.steps.step(context.logName, async (progress) => {
      const { root, config } = await this.pull(image, context.sessions, progress, signal);
      const chain = context.attestationChain
        ? await attestationChain(
            this.repository(image, context.sessions, progress),
            root,
            image.platform,
            signal,
          )
        : undefined;
      const identifier = `docker-image://${formatImageReference({ ...image.reference, digest: root.digest })}`;
      return {
        identifier,
        image: { digest: root.digest, config, ...(chain ? { attestationChain: chain } : {}) },
      };
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
    return this.#images.get(
      { key: `${name} ${root.digest} ${formatPlatform(image.platform)}`, sessions, fresh: false },
      (shared) => pullImage(repository, this.#content, root, image.platform, shared),
      signal,
    );
  }
}
