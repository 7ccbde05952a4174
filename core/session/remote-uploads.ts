/** Streams that a client hands in by name. Wire facts E1.10. BuildKit: session/upload/upload.go. */
import { Upload } from '../../proto/services.js';
import type { ClientUploads } from '../contracts/session.js';
import type { SessionCalls } from './session-calls.js';

export class RemoteUploads implements ClientUploads {
  readonly #calls: SessionCalls;

  constructor(calls: SessionCalls) {
    this.#calls = calls;
  }

  get offered(): boolean {
    return this.#calls.supports(Upload.Pull.path);
  }

  async *pull(url: URL, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const headers = { urlpath: url.pathname, urlhost: url.host };
    const nothing = { data: new Uint8Array() };
    for await (const { data } of this.#calls.serverStream(Upload.Pull, nothing, headers, signal)) {
      if (data.length > 0) yield data;
    }
  }
}
