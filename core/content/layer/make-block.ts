import type { Threads } from '../../contracts/threads.js';
import type { LayerBlockArgs } from './layer-block.task.js';

const blockTask = new URL('./layer-block.task.js', import.meta.url);

/** Makes the bytes of one block of a planned tar in a worker thread. */
export async function makeBlock(
  threads: Threads,
  args: LayerBlockArgs,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let made: Uint8Array | undefined;
  const onReport = (bytes: unknown): void => {
    made = bytes as Uint8Array;
  };
  await threads.run(blockTask, args, { signal, onReport });
  return made!;
}
