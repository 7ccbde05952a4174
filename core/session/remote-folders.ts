/** Folders of a client at the other end of the tunnel. BuildKit: session/filesync/filesync.go FSSync. */
import { FileSync } from '../../proto/services.js';
import { BuildError, notFound } from '../contracts/errors.js';
import type { ClientFolders, FolderRequest, SyncBase, SyncResult, SyncWatch } from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import { receiveTree, type TransferOptions } from '../transfer/stream-transfer.js';
import { type ReceiveTreeArgs, receiveArgs } from '../transfer/tree-receiver.js';
import type { ClientCall } from '../util/grpc-h2/client.js';
import { encodeHeaderLists } from '../util/grpc-h2/header-lists.js';
import { GrpcStatusError, grpcStatus } from '../util/grpc-h2/status.js';
import { failureOf, type SessionCalls, sessionError } from './session-calls.js';

export class RemoteFolders implements ClientFolders {
  readonly #calls: SessionCalls;
  readonly #threads: Threads;

  constructor(calls: SessionCalls, threads: Threads) {
    this.#calls = calls;
    this.#threads = threads;
  }

  async sync(
    request: FolderRequest,
    base: SyncBase | undefined,
    dest: () => Promise<string>,
    watch: SyncWatch,
    signal: AbortSignal,
  ): Promise<SyncResult> {
    const { path } = FileSync.DiffCopy;
    if (!this.#calls.supports(path)) throw notFound('session.no-folders', 'no local sources enabled');
    const headers = encodeHeaderLists({
      'include-patterns': request.includePatterns,
      'exclude-patterns': request.excludePatterns,
      followpaths: request.followPaths,
      'dir-name': [request.name],
    });
    const call = this.#calls.open(path, headers, signal);
    let bytes = 0;
    const transferred = (total: number): void => {
      bytes = total;
      watch.transferred(total, false);
    };
    const args = receiveArgs(request, base);
    try {
      return await this.#receive(call, args, { dest, onBytes: transferred, signal });
    } finally {
      watch.transferred(bytes, true);
    }
  }

  async #receive(
    call: ClientCall,
    args: ReceiveTreeArgs,
    options: Pick<TransferOptions, 'onBytes' | 'signal'> & { readonly dest: () => Promise<string> },
  ): Promise<SyncResult> {
    const { messages } = call;
    try {
      const result = await receiveTree(args, { threads: this.#threads, messages, ...options });
      call.end();
      await call.status;
      return result;
    } catch (error) {
      throw sessionError(await transferFailure(call, error), options.signal);
    }
  }
}

/** Our own verdict on the transfer counts, unless it only says that the stream broke off. */
export async function transferFailure(call: ClientCall, error: unknown): Promise<unknown> {
  const status = await failureOf(call, error);
  const brokeOff = !(error instanceof BuildError) || /^transfer\.(lost|cut)$/.test(error.code);
  // A canceled call is our own doing: it was given up because of the error.
  const informative = !(status instanceof GrpcStatusError && status.code === grpcStatus.canceled);
  return brokeOff && informative ? status : error;
}
