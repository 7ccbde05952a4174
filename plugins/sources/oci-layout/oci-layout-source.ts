import type { ContentStore } from '../../../core/contracts/content.js';
import type { SessionGroup, Sessions } from '../../../core/contracts/session.js';
import type {
  OpenSource,
  ResolveContext,
  Source,
  SourceMeta,
  SourceRequest,
} from '../../../core/contracts/source.js';
import { formatImageReference } from '../../../core/util/image-reference.js';
import { formatPlatform } from '../../../core/util/platform.js';
import { type PulledImage, pullImage } from '../shared/image-puller.js';
import { OpenImage } from '../shared/open-image.js';
import { SharedAnswers } from '../shared/shared-answers.js';
import { type LayoutRequest, parseLayoutRequest } from './attributes.js';
import { ClientLayout } from './client-layout.js';

/** `oci-layout://`: images out of layouts of the client, read over its session. */
export class OciLayoutSource implements Source {
  readonly #sessions: Sessions;
  readonly #content: ContentStore;
  readonly #images = new SharedAnswers<PulledImage>();

  constructor(sessions: Sessions, content: ContentStore) {
    this.#sessions = sessions;
    this.#content = content;
  }

  open(request: SourceRequest): OpenSource {
    const layout = parseLayoutRequest(request);
    return new OpenImage({
      ...layout,
      name: formatImageReference(layout.reference),
      local: true,
      recordType: 'regular',
      layerAnnotations: {},
      pull: ({ sessions }, signal) => this.#pull(layout, sessions, signal),
      layers: ({ sessions }) => this.#layout(layout, sessions).blobs,
    });
  }

  async resolve(request: SourceRequest, context: ResolveContext, signal: AbortSignal): Promise<SourceMeta> {
    const layout = parseLayoutRequest(request);
    return context.steps.step(context.logName, async () => {
      const { root, config } = await this.#pull(layout, context.sessions, signal);
      const identifier = `oci-layout://${formatImageReference(layout.reference)}`;
      return { identifier, image: { digest: root.digest, config } };
    });
  }

  #layout(layout: LayoutRequest, group: SessionGroup): ClientLayout {
    return new ClientLayout(this.#sessions, group, layout);
  }

  #pull(layout: LayoutRequest, group: SessionGroup, signal: AbortSignal): Promise<PulledImage> {
    const { reference, platform, store, session } = layout;
    const key = [reference.digest, formatPlatform(platform), store, session].join(' ');
    const origin = this.#layout(layout, group);
    return this.#images.get(
      { key, sessions: group, fresh: false },
      async (shared) =>
        pullImage(origin, this.#content, await origin.resolve(shared), layout.platform, shared),
      signal,
    );
  }
}
