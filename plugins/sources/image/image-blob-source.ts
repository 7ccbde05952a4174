import type { Registries } from '../../../core/contracts/registry.js';
import type { OpenSource, Source, SourceRequest } from '../../../core/contracts/source.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { refuseUnknown } from '../shared/attributes.js';
import { OpenBlob, parseBlobReference } from '../shared/blob-file.js';
import { fileAttributeNames, parseFileAttributes } from '../shared/file-attributes.js';
import { recordType } from './attributes.js';

const known = [...fileAttributeNames, 'image.recordtype'];

/** `docker-image+blob://`: one blob of a registry, as a file. */
export class ImageBlobSource implements Source {
  readonly #registries: Registries;
  readonly #threads: Threads;

  constructor(registries: Registries, threads: Threads) {
    this.#registries = registries;
    this.#threads = threads;
  }

  open({ scheme, name, attrs }: SourceRequest): OpenSource {
    refuseUnknown(scheme, attrs, known);
    const reference = parseBlobReference(scheme, name);
    const request = { reference, file: parseFileAttributes(attrs), recordType: recordType(attrs) };
    return new OpenBlob(request, this.#threads, ({ sessions, progress }) => {
      const log = (line: string): void => progress.log('stderr', Buffer.from(line));
      const repository = this.#registries.repository(reference, { actions: 'pull', sessions, log });
      return { find: (digest, signal) => repository.blob(digest, signal), blobs: repository.blobs };
    });
  }
}
