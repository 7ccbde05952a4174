/** Results handed to a client at the other end of the tunnel. BuildKit: session/filesync CopyToCaller, CopyFileWriter. */
import { bytesMessageHead } from '../../proto/fsutil.js';
import { FileSend } from '../../proto/services.js';
import { unsupported } from '../contracts/errors.js';
import type { ClientResults, ResultTree, WriteTreeOptions } from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import { sendTree } from '../transfer/stream-transfer.js';
import type { CallHeaders, ClientCall } from '../util/grpc-h2/client.js';
import { transferFailure } from './remote-folders.js';
import { failureOf, type SessionCalls, sessionError } from './session-calls.js';

/** grpc-go clients take messages of 4 MiB at most (wire facts E1.7). */
const MAX_CHUNK = 3 << 20;
const EXPORTER_ID = 'buildkit-attachable-exporter-id';

export class RemoteResults implements ClientResults {
  readonly #calls: SessionCalls;
  readonly #threads: Threads;

  constructor(calls: SessionCalls, threads: Threads) {
    this.#calls = calls;
    this.#threads = threads;
  }

  async writeTree(
    exporter: number,
    trees: readonly ResultTree[],
    options: WriteTreeOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const call = this.#open(
      {
        [EXPORTER_ID]: String(exporter),
        ...(options.mode === 'delete' ? { 'buildkit-exporter-multi-platform': '1' } : {}),
      },
      signal,
    );
    try {
      const { onProgress } = options;
      await sendTree(
        { results: trees },
        { threads: this.#threads, messages: call.messages, signal, onBytes: onProgress },
      );
      call.end();
      await call.status;
    } catch (error) {
      throw sessionError(await transferFailure(call, error), signal);
    }
  }

  async writeFile(
    exporter: number,
    metadata: Readonly<Record<string, string>>,
    data: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const entries = Object.entries(metadata).map(([key, value]) => [
      `exporter-md-${key.toLowerCase()}`,
      value,
    ]);
    const call = this.#open({ [EXPORTER_ID]: String(exporter), ...Object.fromEntries(entries) }, signal);
    let sourceFailed = false;
    const source = watched(data, () => {
      sourceFailed = true;
    });
    try {
      for await (const chunk of source) await sendChunk(call, chunk);
      call.end();
      for await (const _ of call.messages.messages()) {
        // The client answers nothing; its end confirms that the file is complete.
      }
      await call.status;
    } catch (error) {
      const status = await failureOf(call, error);
      throw sessionError(sourceFailed ? error : status, signal);
    }
  }

  #open(headers: CallHeaders, signal: AbortSignal): ClientCall {
    const { path } = FileSend.DiffCopy;
    if (!this.#calls.supports(path)) {
      throw unsupported('session.no-results', `method ${path} not supported by the client`);
    }
    return this.#calls.open(path, headers, signal);
  }
}

/** Tells failures of the source from those of the client. */
async function* watched(
  data: AsyncIterable<Uint8Array>,
  failed: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* data;
  } catch (error) {
    failed();
    throw error;
  }
}

async function sendChunk(call: ClientCall, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; at += MAX_CHUNK) {
    const part = data.subarray(at, at + MAX_CHUNK);
    await call.messages.sendPieces(bytesMessageHead(part.length), part);
  }
}
