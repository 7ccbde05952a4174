import type { ThreadTask } from '../../contracts/threads.js';
import { type BlockSettings, compressBlock } from './compress-block.js';
import { renderRange } from './render.js';
import type { PlanBlock } from './tar-plan.js';

export interface LayerBlockArgs {
  readonly block: PlanBlock;
  readonly settings: Pick<BlockSettings, 'type' | 'level'>;
}

const blockTask: ThreadTask<LayerBlockArgs, Uint8Array> = ({ block, settings }) =>
  compressBlock(renderRange(block), block, settings);
export default blockTask;
