import { invalid } from '../../../core/contracts/errors.js';
import type { Sessions } from '../../../core/contracts/session.js';
import type { OpenSource, Source, SourceRequest } from '../../../core/contracts/source.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { refuseUnknown } from '../shared/attributes.js';
import { OpenBlob, parseBlobReference } from '../shared/blob-file.js';
import { fileAttributeNames, parseFileAttributes } from '../shared/file-attributes.js';
import { ClientLayout } from './client-layout.js';

const known = [...fileAttributeNames, 'oci.session', 'oci.store'];

/** `oci-layout+blob://`: one blob of a client's layout, as a file. */
export class LayoutBlobSource implements Source {
  readonly #sessions: Sessions;
  readonly #threads: Threads;

  constructor(sessions: Sessions, threads: Threads) {
    this.#sessions = sessions;
    this.#threads = threads;
  }

  open({ scheme, name, attrs }: SourceRequest): OpenSource {
    refuseUnknown(scheme, attrs, known);
    const { 'oci.store': store = '', 'oci.session': session = '' } = attrs;
    if (store === '') {
      throw invalid('source.bad-attribute', `${scheme}://${name}: requires a store (oci.store)`);
    }
    const reference = parseBlobReference(scheme, name);
    const request = { reference, file: parseFileAttributes(attrs), recordType: 'regular' as const };
    return new OpenBlob(
      request,
      this.#threads,
      ({ sessions }) => new ClientLayout(this.#sessions, sessions, { reference, store, session }),
    );
  }
}
