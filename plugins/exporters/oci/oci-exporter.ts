import type { ContentStore } from '../../../core/contracts/content.js';
import { unsupported } from '../../../core/contracts/errors.js';
import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import { statusWhile } from '../../../core/contracts/progress.js';
import { AttributeReader } from '../shared/attributes.js';
import { layoutEntries, namedManifests, tarArchive } from '../shared/image/archive.js';
import { type ImageOptions, imageNames, readImageOptions } from '../shared/image/options.js';
import { announcedRoot, imageResponse } from '../shared/image/response.js';
import { ImageWriter } from '../shared/image/writer.js';

/** `type=oci`: the image as an archive of an OCI layout. */
export class OciExporter implements Exporter {
  readonly #content: ContentStore;

  constructor(content: ContentStore) {
    this.#content = content;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('oci', attrs);
    const options = readImageOptions(reader, { ociTypes: true });
    if (reader.boolean('tar') === false) {
      throw unsupported('exporter.unsupported-attribute', 'oci exporter: tar=false is not supported yet', {
        hint: 'export the archive and unpack it: it holds the same layout',
      });
    }
    reader.finish();
    return new OciExport(new ImageWriter(this.#content), options);
  }
}

class OciExport implements Export {
  readonly name = 'exporting to oci image format';
  readonly #writer: ImageWriter;
  readonly #options: ImageOptions;

  constructor(writer: ImageWriter, options: ImageOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    return context.steps.step(this.name, async (progress) => {
      const names = imageNames(this.#options.name, result);
      const image = await this.#writer.write(result, this.#options, progress, signal);
      const root = announcedRoot(image, Date.now());
      const response = imageResponse(image, root, names);
      const archive = tarArchive(layoutEntries(namedManifests(root, names), image.blobs, signal));
      const session = await context.session();
      await statusWhile(progress, 'sending tarball', () =>
        session.results.writeFile(context.index, response, archive, signal),
      );
      return { response };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
