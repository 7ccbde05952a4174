/** A tree transfer within one machine: no stream, no packets, the same rules. */
import { BuildError } from '../contracts/errors.js';
import type { ReceivedEntry } from '../contracts/refs.js';
import type { Threads } from '../contracts/threads.js';
import type { CopyTreeArgs } from './copy-tree.task.js';
import type { ReceiveTreeArgs, ReceiveTreeResult } from './receive-tree.task.js';
import type { SendTreeArgs } from './source-of.js';

export interface CopyOptions {
  readonly threads: Threads;
  readonly signal: AbortSignal;
  /** Bytes of content copied so far. */
  readonly onBytes?: ((total: number) => void) | undefined;
}

/** Answers what is in the destination now; undefined when nothing differs from the base. */
export async function copyTree(
  source: SendTreeArgs,
  dest: ReceiveTreeArgs,
  { threads, signal, onBytes }: CopyOptions,
): Promise<readonly ReceivedEntry[] | undefined> {
  const task = new URL('./copy-tree.task.js', import.meta.url);
  const args: CopyTreeArgs = { source, dest };
  try {
    const result = await threads.run<ReceiveTreeResult>(task, args, {
      signal,
      onReport: (total) => onBytes?.(total as number),
    });
    return result.entries;
  } catch (error) {
    throw BuildError.from(error);
  }
}
