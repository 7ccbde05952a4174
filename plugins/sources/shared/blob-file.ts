/**
 * One blob of a registry or a layout as a file. Its digest is in its name, so the cache key needs no I/O. BuildKit:
 * source/containerblob.
 */
import { join } from 'node:path';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { BuildError, invalid } from '../../../core/contracts/errors.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef, RecordType } from '../../../core/contracts/refs.js';
import type { OpenSource, SourceContext } from '../../../core/contracts/source.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { type Digest, hexOf, sha256 } from '../../../core/util/digest.js';
import { goJson } from '../../../core/util/go-json.js';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from '../../../core/util/image-reference.js';
import type { FileAttributes } from './file-attributes.js';
import { saveFile } from './save-file.js';

export interface BlobReference extends ImageReference {
  readonly digest: Digest;
}

export interface BlobRequest {
  readonly reference: BlobReference;
  readonly file: FileAttributes;
  readonly recordType: RecordType;
}

/** Where the blob is found. */
export interface BlobOrigin {
  find(digest: Digest, signal: AbortSignal): Promise<Descriptor>;
  readonly blobs: ContentProvider;
}

/** `name@digest`, and no tag. */
export function parseBlobReference(scheme: string, name: string): BlobReference {
  let reference: ImageReference;
  try {
    reference = parseImageReference(name);
  } catch (cause) {
    throw invalid('source.bad-reference', `${scheme}://${name}: ${(cause as Error).message}`, { cause });
  }
  const { digest, tag, ...rest } = reference;
  if (tag !== undefined) {
    throw invalid(
      'source.bad-reference',
      `${scheme}://${name}: tagged image reference not allowed for blob reference`,
    );
  }
  if (digest !== undefined) return { ...rest, digest };
  throw invalid('source.bad-reference', `${scheme}://${name}: checksum required in blob reference`);
}

export class OpenBlob implements OpenSource {
  readonly #request: BlobRequest;
  readonly #threads: Threads;
  readonly #origin: (context: SourceContext) => BlobOrigin;

  constructor(request: BlobRequest, threads: Threads, origin: (context: SourceContext) => BlobOrigin) {
    this.#request = request;
    this.#threads = threads;
    this.#origin = origin;
  }

  async cacheKey(): Promise<{ readonly key: string; readonly done: boolean }> {
    const { reference, file } = this.#request;
    const { filename: Filename, perm: Perm, uid: UID, gid: GID } = file;
    return { key: sha256(goJson({ Digest: reference.digest, Filename, Perm, UID, GID })), done: true };
  }

  async fetch(context: SourceContext, signal: AbortSignal): Promise<ImmutableRef> {
    const { reference, file, recordType } = this.#request;
    const name = formatImageReference(reference);
    const { digest } = reference;
    const origin = this.#origin(context);
    const descriptor = await origin.find(digest, signal);
    const options = { description: `blob ${name}`, type: recordType };
    await using tree = await context.worker.refs.create(undefined, options, silentProgress, signal);
    const { layers } = await tree.view(silentProgress, signal);
    const got = await saveFile(
      origin.blobs.read(descriptor, { unverified: true }, signal),
      {
        path: join(layers[0]!, file.filename || hexOf(digest)),
        attributes: file,
        modTime: 0,
        label: digest,
        size: descriptor.size,
      },
      { threads: this.#threads, progress: context.progress },
      signal,
    );
    if (got === digest) return await tree.commit();
    throw new BuildError('source.digest-mismatch', `${name}: its origin sent ${got}`, {
      grpcCode: 'DataLoss',
    });
  }
}
