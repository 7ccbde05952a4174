import fs from 'node:fs';
import type { ThreadTask } from '../../contracts/threads.js';
import { renderRange } from './render.js';
import { StreamSums, type Sums } from './stream-sums.js';
import type { PlanBlock } from './tar-plan.js';

/** What to sum up: a planned tar, or a file that is there. */
export type LayerSumsArgs =
  | { readonly blocks: readonly PlanBlock[]; readonly crc32: boolean }
  | { readonly file: string };

const CHUNK = 1 << 20;

const sumsTask: ThreadTask<LayerSumsArgs, Sums> = (args, context) => {
  const sums = new StreamSums({ crc32: 'blocks' in args && args.crc32 });
  const add = (data: Uint8Array): void => {
    context.throwIfAborted();
    sums.update(data);
  };
  if ('blocks' in args) for (const block of args.blocks) add(renderRange(block).subarray(block.lead));
  else readFile(args.file, add);
  return sums.finish();
};
export default sumsTask;

function readFile(file: string, use: (data: Uint8Array) => void): void {
  const fd = fs.openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    for (let size = fs.readSync(fd, buffer); size > 0; size = fs.readSync(fd, buffer))
      use(buffer.subarray(0, size));
  } finally {
    fs.closeSync(fd);
  }
}
