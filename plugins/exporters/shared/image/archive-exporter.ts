import type { ContentStore } from '../../../../core/contracts/content.js';
import { invalid } from '../../../../core/contracts/errors.js';
import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../../core/contracts/exporter.js';
import { statusWhile } from '../../../../core/contracts/progress.js';
import type { ClientContent } from '../../../../core/contracts/session.js';
import { isIndexType, isManifestType } from '../../../../core/util/media-types.js';
import { together } from '../../../../core/util/together.js';
import { AttributeReader } from '../attributes.js';
import { dockerManifest, layoutEntries, namedManifests, tarArchive } from './archive.js';
import { type ImageOptions, imageNames, readImageOptions } from './options.js';
import { announcedRoot, imageResponse } from './response.js';
import { type ImageBlob, ImageWriter } from './writer.js';

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
    const options = readImageOptions(reader, {
      ociTypes: this.#format === 'oci',
      inlineAttestations: false,
    });
    const asFolder = reader.boolean('tar') === false;
    reader.finish();
    return new ArchiveExport(new ImageWriter(this.#content), this.#format, { ...options, asFolder });
  }
}

interface ArchiveOptions extends ImageOptions {
  /** Into a content store of the client: it makes the layout's index from the response. */
  readonly asFolder: boolean;
}

class ArchiveExport implements Export {
  readonly name: string;
  readonly #writer: ImageWriter;
  readonly #format: ArchiveFormat;
  readonly #options: ArchiveOptions;

  constructor(writer: ImageWriter, format: ArchiveFormat, options: ArchiveOptions) {
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
      const session = await context.session();
      if (this.#options.asFolder) {
        await writeBlobs(session.content('export'), image.blobs, signal);
        return { response };
      }
      const entries = [
        ...layoutEntries(namedManifests(root, names), image.blobs, signal),
        ...(this.#format === 'docker' ? [dockerManifest(image, names)] : []),
      ];
      await statusWhile(progress, 'sending tarball', () =>
        session.results.writeFile(context.index, response, tarArchive(entries), signal),
      );
      return { response };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What names others comes after them: a layout never has half an image. */
async function writeBlobs(
  store: ClientContent,
  blobs: readonly ImageBlob[],
  signal: AbortSignal,
): Promise<void> {
  const distinct = [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
  const isDocument = ({ descriptor: { mediaType } }: ImageBlob): boolean =>
    isManifestType(mediaType) || isIndexType(mediaType);
  const write = ({ descriptor, provider }: ImageBlob, either: AbortSignal): Promise<void> =>
    store.write(descriptor, provider.read(descriptor, {}, either), either);
  await together(
    distinct.filter((blob) => !isDocument(blob)),
    write,
    signal,
  );
  for (const document of distinct.filter(isDocument)) await write(document, signal);
}
