/** A content store of the client's. Wire facts E1.10. BuildKit: session/content/caller.go. */
import { Content } from '../../proto/services.js';
import type { ByteRange, ContentProvider, Descriptor } from '../contracts/content.js';
import type { SessionCalls } from './session-calls.js';

export class RemoteContent implements ContentProvider {
  readonly #calls: SessionCalls;
  readonly #store: string;

  constructor(calls: SessionCalls, store: string) {
    this.#calls = calls;
    this.#store = store;
  }

  async *read(
    descriptor: Descriptor,
    range: ByteRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    // Size 0 would mean "to the end" on the wire.
    if (range.length === 0) return;
    const request = { digest: descriptor.digest, offset: range.offset ?? 0, size: range.length ?? 0 };
    const headers = { 'buildkit-attachable-store-id': this.#store };
    for await (const answer of this.#calls.serverStream(Content.Read, request, headers, signal)) {
      if (answer.data.length > 0) yield answer.data;
    }
  }
}
