import type { Threads } from '../../contracts/threads.js';
import type { LayerBlockArgs } from './layer-block.task.js';

const blockTask = new URL('./layer-block.task.js', import.meta.url);

/** Makes the bytes of one block of a planned tar in a worker thread. */
export const makeBlock = (threads: Threads, args: LayerBlockArgs, signal: AbortSignal): Promise<Uint8Array> =>
  threads.run<Uint8Array>(blockTask, args, { signal });
