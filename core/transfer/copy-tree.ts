/** A tree transfer within one machine: no stream, no packets, the same rules. */
import { BuildError } from '../contracts/errors.js';
import type { SyncResult } from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import type { CopyTreeArgs } from './copy-tree.task.js';
import type { SendTreeArgs } from './source-of.js';
import type { ReceiveTreeArgs } from './tree-receiver.js';

export interface CopyOptions {
  readonly threads: Threads;
  readonly signal: AbortSignal;
  /** Makes the destination, if the arguments name none. */
  readonly dest?: () => Promise<string>;
  /** Bytes of content copied so far. */
  readonly onBytes?: ((total: number) => void) | undefined;
}

export async function copyTree(
  source: SendTreeArgs,
  dest: ReceiveTreeArgs,
  { threads, signal, dest: onAsk, onBytes }: CopyOptions,
): Promise<SyncResult> {
  const task = new URL('./copy-tree.task.js', import.meta.url);
  const args: CopyTreeArgs = { source, dest };
  try {
    return await threads.run<SyncResult>(task, args, {
      signal,
      ...(onAsk ? { onAsk } : {}),
      onReport: (total) => onBytes?.(total as number),
    });
  } catch (error) {
    throw BuildError.from(error);
  }
}
