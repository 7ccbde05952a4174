/** A content store of the client's. Wire facts E1.10. BuildKit: session/content/caller.go. */
import { Content } from '../../proto/services.js';
import type { BlobInfo, ByteRange, Descriptor } from '../contracts/content.js';
import { BuildError, notFound } from '../contracts/errors.js';
import type { ClientContent } from '../contracts/session.js';
import type { Digest } from '../util/digest.js';
import { BlobWriteCall, storeHeader } from './blob-write-call.js';
import type { SessionCalls } from './session-calls.js';

export class RemoteContent implements ClientContent {
  readonly #calls: SessionCalls;
  readonly #store: string;

  constructor(calls: SessionCalls, store: string) {
    this.#calls = calls;
    this.#store = store;
  }

  async info(digest: Digest, signal: AbortSignal): Promise<BlobInfo | undefined> {
    this.#checkServed();
    try {
      const { info } = await this.#calls.unary(Content.Info, { digest }, signal, this.#headers);
      if (!info) return undefined;
      const createdAt = Number(info.createdAt?.seconds ?? 0) * 1000;
      return { digest, size: info.size, createdAt, labels: info.labels };
    } catch (error) {
      if (isCode(error, 'NotFound') && !saysUnknownStore(error)) return undefined;
      throw error;
    }
  }

  async *read(
    descriptor: Descriptor,
    range: ByteRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    this.#checkServed();
    // Size 0 would mean "to the end" on the wire.
    if (range.length === 0) return;
    const request = { digest: descriptor.digest, offset: range.offset ?? 0, size: range.length ?? 0 };
    for await (const answer of this.#calls.serverStream(Content.Read, request, this.#headers, signal)) {
      if (answer.data.length > 0) yield answer.data;
    }
  }

  async write(descriptor: Descriptor, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    this.#checkServed();
    const call = new BlobWriteCall(this.#calls.open(Content.Write.path, this.#headers, signal), signal);
    try {
      await call.run(descriptor, data);
    } catch (error) {
      if (!isCode(error, 'AlreadyExists')) throw error;
    }
  }

  async label(
    digest: Digest,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const paths = Object.keys(labels).map((name) => `labels.${name}`);
    const request = { info: { digest, labels }, updateMask: { paths } };
    try {
      await this.#calls.unary(Content.Update, request, signal, this.#headers);
      return true;
    } catch (error) {
      // Stores without labels are immutable to containerd; BuildKit's clients offer such ones.
      if (isCode(error, 'FailedPrecondition') || isCode(error, 'Unimplemented')) return false;
      throw error;
    }
  }

  get #headers(): { readonly [storeHeader]: string } {
    return { [storeHeader]: this.#store };
  }

  #checkServed(): void {
    if (this.#calls.supports(Content.Info.path)) return;
    throw notFound('session.no-content', `the client offers no content store "${this.#store}"`);
  }
}

const isCode = (error: unknown, code: string): error is BuildError =>
  error instanceof BuildError && error.grpcCode === code;

/** Stores and blobs that are not there share a status code. BuildKit: session/content/attachable.go. */
const saysUnknownStore = (error: BuildError): boolean => error.message.includes('unknown store');
