import type { ThreadContext, ThreadTask } from '../../contracts/threads.js';
import { type Change, changesBetween } from './changes.js';
import type { LayerSettings } from './compress-block.js';
import { writeEstargz } from './estargz.js';
import { planLayer } from './layer-plan.js';
import { cutBlocks, type PlanBlock } from './tar-plan.js';
import { type WrittenLayer, writeLayer } from './write-layer.js';

export interface LayerPlanArgs {
  readonly lower: readonly string[];
  readonly upper: readonly string[];
  readonly sourceDateEpoch: number | undefined;
  readonly settings: LayerSettings;
  /** The file to write a layer to that needs no more threads. */
  readonly output: string;
}
/** Small layers come back written, and those of one thread; large ones as blocks for several threads. */
export type LayerPlanResult = { readonly written: WrittenLayer } | { readonly blocks: readonly PlanBlock[] };

/** As many blocks are not worth sending around. */
const SMALL = 4;

const planTask: ThreadTask<LayerPlanArgs, LayerPlanResult> = (args, context) => {
  const { settings } = args;
  const items = planLayer(watched(changesBetween(args.lower, args.upper), context), {
    sourceDateEpoch: args.sourceDateEpoch,
  });
  if (settings.type === 'estargz') {
    return { written: writeEstargz(items, settings.level, args.output, context) };
  }
  const blocks = [...cutBlocks(items, settings.blockSize, settings.lead)];
  if (blocks.length > SMALL && settings.type !== 'uncompressed') return { blocks };
  return { written: writeLayer(blocks, settings, args.output, context) };
};
export default planTask;

function* watched(changes: Iterable<Change>, context: ThreadContext): Iterable<Change> {
  for (const change of changes) {
    context.throwIfAborted();
    yield change;
  }
}
