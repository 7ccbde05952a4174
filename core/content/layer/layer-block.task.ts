import type { ThreadTask } from '../../contracts/threads.js';
import { type BlockSettings, compressBlock } from './compress-block.js';
import { renderRange } from './render.js';
import type { PlanBlock } from './tar-plan.js';

export interface LayerBlockArgs {
  readonly block: PlanBlock;
  readonly settings: Pick<BlockSettings, 'type' | 'level'>;
}

/** The bytes come as a report, which can be moved and need not be copied. */
const blockTask: ThreadTask<LayerBlockArgs, void> = ({ block, settings }, context) => {
  const bytes = new Uint8Array(compressBlock(renderRange(block), block, settings));
  context.report(bytes, [bytes.buffer]);
};
export default blockTask;
