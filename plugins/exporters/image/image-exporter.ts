import type { ContentStore } from '../../../core/contracts/content.js';
import { invalid } from '../../../core/contracts/errors.js';
import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import type { Progress } from '../../../core/contracts/progress.js';
import type { Registries } from '../../../core/contracts/registry.js';
import { traceBelow } from '../../../core/contracts/step-span.js';
import { silentTracing, type Tracing } from '../../../core/contracts/tracing.js';
import { AttributeReader } from '../shared/attributes.js';
import { givenNames, type ImageOptions, readImageOptions } from '../shared/image/options.js';
import { pushImage } from '../shared/image/push.js';
import { imageResponse } from '../shared/image/response.js';
import {
  checkUnpack,
  type FindImageStore,
  noImageStore,
  readStoreOptions,
  type StoreOptions,
  storeImage,
} from '../shared/image/store.js';
import { ImageWriter, type WrittenImage } from '../shared/image/writer.js';

interface ImageExportOptions extends ImageOptions, StoreOptions {
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
  readonly #imageStore: FindImageStore;

  constructor(
    content: ContentStore,
    registries: Registries,
    tracing: Tracing = silentTracing,
    imageStore: FindImageStore = noImageStore,
  ) {
    this.#content = content;
    this.#registries = registries;
    this.#tracing = tracing;
    this.#imageStore = imageStore;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('image', attrs);
    const options: ImageExportOptions = {
      ...readImageOptions(reader, { ociTypes: false, inlineAttestations: true }),
      push: reader.boolean('push') ?? false,
      pushByDigest: reader.boolean('push-by-digest') ?? false,
      insecure: reader.boolean('registry.insecure') ?? false,
      danglingPrefix: reader.text('dangling-name-prefix') ?? '',
      danglingEmptyOnly: reader.boolean('danging-name-empty-only') ?? false, // BuildKit's own spelling
      ...readStoreOptions(reader),
    };
    reader.finish();
    return new ImageExport(options, {
      writer: new ImageWriter(this.#content),
      registries: this.#registries,
      tracing: this.#tracing,
      imageStore: this.#imageStore,
    });
  }
}

interface ImageExportParts {
  readonly writer: ImageWriter;
  readonly registries: Registries;
  readonly tracing: Tracing;
  readonly imageStore: FindImageStore;
}

class ImageExport implements Export {
  readonly name = 'exporting to image';
  readonly #options: ImageExportOptions;
  readonly #parts: ImageExportParts;

  constructor(options: ImageExportOptions, parts: ImageExportParts) {
    this.#options = options;
    this.#parts = parts;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    const { push, danglingPrefix, rewriteTimestamp } = this.#options;
    const { writer, imageStore } = this.#parts;
    const given = givenNames(this.#options.name, result);
    if (push && given.length === 0 && danglingPrefix === '') {
      throw invalid('exporter.no-name', 'image exporter: push=true needs a name to push to', {
        hint: 'add name=<registry>/<repository>:<tag> to the output',
      });
    }
    const images = imageStore(result);
    checkUnpack(this.#options, images, rewriteTimestamp);
    return context.steps.step(this.name, async (progress) => {
      const image = await writer.write(result, this.#options, { ...context, progress }, signal);
      const names = this.#withDangling(given, image.root.digest);
      if (images && this.#options.store)
        await storeImage(image, names, images, this.#options, progress, signal);
      if (push) await this.#push(image, names, context, progress, signal);
      return { response: imageResponse(image, image.root, names) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #push(
    image: WrittenImage,
    names: readonly string[],
    context: ExportContext,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    const { insecure, pushByDigest: byDigest } = this.#options;
    const { registries, tracing } = this.#parts;
    const { id } = await context.session();
    const options = { registries, sessions: { ids: () => [id] }, insecure, byDigest };
    for (const name of names) {
      await traceBelow(tracing, 'push', { name }, progress, () =>
        pushImage(image, name, options, progress, signal),
      );
    }
  }

  #withDangling(given: readonly string[], digest: string): readonly string[] {
    const { danglingPrefix, danglingEmptyOnly } = this.#options;
    const wanted = danglingPrefix !== '' && (!danglingEmptyOnly || given.length === 0);
    return wanted ? [...given, `${danglingPrefix}@${digest}`] : given;
  }
}
