import type { ContentStore } from '../../../../core/contracts/content.js';
import { invalid, unsupported } from '../../../../core/contracts/errors.js';
import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../../core/contracts/exporter.js';
import { statusWhile } from '../../../../core/contracts/progress.js';
import { AttributeReader } from '../attributes.js';
import { dockerManifest, layoutEntries, namedManifests, tarArchive } from './archive.js';
import { type ImageOptions, imageNames, readImageOptions } from './options.js';
import { announcedRoot, imageResponse } from './response.js';
import { ImageWriter } from './writer.js';

/** The two archives of an image: `docker` is an `oci` layout that `docker load` reads too. */
export type ArchiveFormat = 'oci' | 'docker';

/** `type=oci` and `type=docker`. BuildKit: exporter/oci/export.go. */
export class ArchiveExporter implements Exporter {
  readonly #content: ContentStore;
  readonly #format: ArchiveFormat;

  constructor(content: ContentStore, format: ArchiveFormat) {
    this.#content = content;
    this.#format = format;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader(this.#format, attrs);
    const options = readImageOptions(reader, { ociTypes: this.#format === 'oci' });
    if (reader.boolean('tar') === false) {
      throw unsupported(
        'exporter.unsupported-attribute',
        `${this.#format} exporter: tar=false is not supported yet`,
        { hint: 'export the archive and unpack it: it holds the same layout' },
      );
    }
    reader.finish();
    return new ArchiveExport(new ImageWriter(this.#content), this.#format, options);
  }
}

class ArchiveExport implements Export {
  readonly name: string;
  readonly #writer: ImageWriter;
  readonly #format: ArchiveFormat;
  readonly #options: ImageOptions;

  constructor(writer: ImageWriter, format: ArchiveFormat, options: ImageOptions) {
    this.name = `exporting to ${format} image format`;
    this.#writer = writer;
    this.#format = format;
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    if (this.#format === 'docker' && result.multiPlatform) {
      throw invalid(
        'exporter.docker-list',
        'docker exporter does not currently support exporting manifest lists',
        { hint: 'export with type=oci, or build for one platform' },
      );
    }
    return context.steps.step(this.name, async (progress) => {
      const names = imageNames(this.#options.name, result);
      const image = await this.#writer.write(result, this.#options, { ...context, progress }, signal);
      const root = announcedRoot(image, Date.now());
      const response = imageResponse(image, root, names);
      const entries = [
        ...layoutEntries(namedManifests(root, names), image.blobs, signal),
        ...(this.#format === 'docker' ? [dockerManifest(image, names)] : []),
      ];
      const session = await context.session();
      await statusWhile(progress, 'sending tarball', () =>
        session.results.writeFile(context.index, response, tarArchive(entries), signal),
      );
      return { response };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
