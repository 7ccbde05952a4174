/**
 * One blob written over the content service: each message is answered before the next goes. Facts: containerd
 * content/proxy/content_writer.go.
 */
import { content } from '../../proto/index.js';
import { Content } from '../../proto/services.js';
import type { Descriptor } from '../contracts/content.js';
import { BuildError } from '../contracts/errors.js';
import type { ClientCall } from '../util/grpc-h2/client.js';
import { failureOf, sessionError } from './session-calls.js';

/** Says which of a client's stores a call is for. */
export const storeHeader = 'buildkit-attachable-store-id';

/** grpc-go clients take messages of 4 MiB at most (wire facts E1.7). */
const MAX_CHUNK = 3 << 20;

export class BlobWriteCall {
  readonly #call: ClientCall;
  readonly #signal: AbortSignal;
  readonly #answers: AsyncIterator<Buffer>;

  constructor(call: ClientCall, signal: AbortSignal) {
    this.#call = call;
    this.#signal = signal;
    this.#answers = call.messages.messages();
  }

  /** Fails with AlreadyExists when there is nothing to write. */
  async run({ digest, size }: Descriptor, data: AsyncIterable<Uint8Array>): Promise<void> {
    const { STAT, WRITE, COMMIT } = content.WriteAction;
    let sourceFailed: { readonly error: unknown } | undefined;
    const watched = watch(data, (error) => {
      sourceFailed = { error };
    });
    try {
      const ref = `buildkit-${digest}`;
      await this.#ask({ action: STAT, ref, total: size, expected: digest });
      // What an interrupted writer left behind is begun anew: a write at offset 0 truncates.
      let offset = 0;
      for await (const chunk of watched) {
        for (let at = 0; at < chunk.length; at += MAX_CHUNK) {
          const part = chunk.subarray(at, at + MAX_CHUNK);
          await this.#ask({ action: WRITE, offset, data: part });
          offset += part.length;
        }
      }
      await this.#ask({ action: COMMIT, offset, total: size, expected: digest });
      this.#call.end();
      await this.#finish();
    } catch (error) {
      const status = await failureOf(this.#call, error);
      throw sessionError(sourceFailed ? sourceFailed.error : status, this.#signal);
    }
  }

  /**
   * containerd repeats its last answer; what is not read keeps the call open. It may take the stream away before its end
   * was read: the status says how the call went.
   */
  async #finish(): Promise<void> {
    const read = async (): Promise<void> => {
      while (!(await this.#answers.next()).done);
    };
    const [, status] = await Promise.allSettled([read(), this.#call.status]);
    if (status.status === 'rejected') throw status.reason;
  }

  async #ask(request: Parameters<typeof Content.Write.requestSerialize>[0]): Promise<void> {
    await this.#call.messages.send(Content.Write.requestSerialize(request));
    const { done } = await this.#answers.next();
    if (done) await this.#call.status;
    if (done) throw new BuildError('session.protocol', 'the client ended the write of a blob early');
  }
}

async function* watch(
  data: AsyncIterable<Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* data;
  } catch (error) {
    failed(error);
    throw error;
  }
}
