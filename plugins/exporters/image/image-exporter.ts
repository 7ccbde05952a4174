import type { ContentStore } from '../../../core/contracts/content.js';
import { invalid } from '../../../core/contracts/errors.js';
import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import type { Registries } from '../../../core/contracts/registry.js';
import { silentTracing, type Tracing } from '../../../core/contracts/tracing.js';
import { AttributeReader } from '../shared/attributes.js';
import { givenNames, type ImageOptions, readImageOptions } from '../shared/image/options.js';
import { pushImage } from '../shared/image/push.js';
import { imageResponse } from '../shared/image/response.js';
import { ImageWriter } from '../shared/image/writer.js';

interface ImageExportOptions extends ImageOptions {
  readonly push: boolean;
  readonly pushByDigest: boolean;
  readonly insecure: boolean;
  /** A further name, `<prefix>@<digest>`. */
  readonly danglingPrefix: string;
  /** … only when there is no other. */
  readonly danglingEmptyOnly: boolean;
}

/** `type=image`: an image in the content store, pushed if asked. BuildKit: exporter/containerimage/export.go. */
export class ImageExporter implements Exporter {
  readonly #content: ContentStore;
  readonly #registries: Registries;
  readonly #tracing: Tracing;

  constructor(content: ContentStore, registries: Registries, tracing: Tracing = silentTracing) {
    this.#content = content;
    this.#registries = registries;
    this.#tracing = tracing;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('image', attrs);
    const options: ImageExportOptions = {
      ...readImageOptions(reader, { ociTypes: false }),
      push: reader.boolean('push') ?? false,
      pushByDigest: reader.boolean('push-by-digest') ?? false,
      insecure: reader.boolean('registry.insecure') ?? false,
      danglingPrefix: reader.text('dangling-name-prefix') ?? '',
      danglingEmptyOnly: reader.boolean('danging-name-empty-only') ?? false, // BuildKit's own spelling
    };
    // They concern the image store of a containerd worker; workers without one ignore them, as in BuildKit.
    reader.boolean('store');
    reader.boolean('name-canonical');
    reader.notYet('unpack', ['false', '0']);
    reader.finish();
    return new ImageExport(new ImageWriter(this.#content), this.#registries, this.#tracing, options);
  }
}

class ImageExport implements Export {
  readonly name = 'exporting to image';
  readonly #writer: ImageWriter;
  readonly #registries: Registries;
  readonly #tracing: Tracing;
  readonly #options: ImageExportOptions;

  constructor(writer: ImageWriter, registries: Registries, tracing: Tracing, options: ImageExportOptions) {
    this.#writer = writer;
    this.#registries = registries;
    this.#tracing = tracing;
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    const { push, insecure, pushByDigest: byDigest, danglingPrefix } = this.#options;
    const given = givenNames(this.#options.name, result);
    if (push && given.length === 0 && danglingPrefix === '') {
      throw invalid('exporter.no-name', 'image exporter: push=true needs a name to push to', {
        hint: 'add name=<registry>/<repository>:<tag> to the output',
      });
    }
    return context.steps.step(this.name, async (progress) => {
      const image = await this.#writer.write(result, this.#options, { ...context, progress }, signal);
      const names = this.#withDangling(given, image.root.digest);
      if (push) {
        const { id } = await context.session();
        const options = { registries: this.#registries, sessions: { ids: () => [id] }, insecure, byDigest };
        for (const name of names) {
          const pushed = () => pushImage(image, name, options, progress, signal);
          await this.#tracing.trace('push', { tags: { name } }, pushed);
        }
      }
      return { response: imageResponse(image, image.root, names) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #withDangling(given: readonly string[], digest: string): readonly string[] {
    const { danglingPrefix, danglingEmptyOnly } = this.#options;
    const wanted = danglingPrefix !== '' && (!danglingEmptyOnly || given.length === 0);
    return wanted ? [...given, `${danglingPrefix}@${digest}`] : given;
  }
}
