/** Sends a finished image to a registry. BuildKit: util/push/push.go. */
import type { Descriptor } from '../../../../core/contracts/content.js';
import { BuildError, invalid } from '../../../../core/contracts/errors.js';
import { type Progress, statusWhile } from '../../../../core/contracts/progress.js';
import type { Registries, Repository } from '../../../../core/contracts/registry.js';
import type { SessionGroup } from '../../../../core/contracts/session.js';
import { collect } from '../../../../core/util/chunks.js';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../../core/util/image-reference.js';
import { isIndexType, isManifestType, isNondistributableLayer } from '../../../../core/util/media-types.js';
import { together } from '../../../../core/util/together.js';
import type { ImageBlob, WrittenImage } from './writer.js';

export interface PushOptions {
  readonly registries: Registries;
  readonly sessions: SessionGroup;
  /** Accept any certificate, and plain HTTP. */
  readonly insecure: boolean;
  /** Leave the image without a tag. */
  readonly byDigest: boolean;
}

/** Layers and configs side by side, then manifests, and what names them last: a registry never has half an image. */
export async function pushImage(
  image: WrittenImage,
  name: string,
  options: PushOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const reference = target(name, options.byDigest);
  const { registries, sessions, insecure } = options;
  const log = (line: string): void => progress.log('stderr', Buffer.from(line));
  const repository = registries.repository(reference, { actions: 'push', sessions, insecure, log });
  const blobs = [...new Map(image.blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
  try {
    await statusWhile(progress, 'pushing layers', () =>
      pushBlobs(
        repository,
        blobs.filter(
          ({ descriptor }) => !isDocument(descriptor) && !isNondistributableLayer(descriptor.mediaType),
        ),
        signal,
      ),
    );
    const shown = formatImageReference({ ...reference, digest: image.root.digest });
    await statusWhile(progress, `pushing manifest for ${shown}`, async () => {
      // Written before what names them, they are sent in that order too.
      for (const { descriptor, provider } of blobs.filter((blob) => isDocument(blob.descriptor))) {
        const tag = descriptor.digest === image.root.digest ? reference.tag : undefined;
        const data = await collect(provider.read(descriptor, {}, signal));
        await repository.pushManifest(descriptor, data, tag, signal);
      }
    });
  } catch (error) {
    throw BuildError.from(error).wrap(`failed to push ${name}`);
  }
}

async function pushBlobs(
  repository: Repository,
  blobs: readonly ImageBlob[],
  signal: AbortSignal,
): Promise<void> {
  const push = ({ descriptor, provider, sources }: ImageBlob, either: AbortSignal): Promise<void> => {
    const mountFrom = sources[repository.reference.domain] ?? [];
    return repository.pushBlob(descriptor, provider, { mountFrom }, either);
  };
  await together(blobs, push, signal);
}

function target(name: string, byDigest: boolean): ImageReference {
  let reference: ImageReference;
  try {
    reference = parseImageReference(name);
  } catch (cause) {
    throw invalid('exporter.bad-name', `failed to parse ${name}: ${(cause as Error).message}`, { cause });
  }
  const { domain, path } = reference;
  if (!byDigest) return withDefaultTag({ domain, path, ...(reference.tag ? { tag: reference.tag } : {}) });
  if (reference.tag === undefined && reference.digest === undefined) return reference;
  throw invalid('exporter.bad-name', `can't push tagged ref ${name} by digest`);
}

const isDocument = ({ mediaType }: Descriptor): boolean =>
  isManifestType(mediaType) || isIndexType(mediaType);
