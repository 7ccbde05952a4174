import type { ResultTree } from '../contracts/session.js';
import type { ThreadContext, ThreadTask } from '../contracts/threads.js';
import { cutBlocks, type PlanBlock } from './layer/tar-plan.js';
import { planTrees } from './tree-plan.js';

export interface TreePlanArgs {
  readonly trees: readonly ResultTree[];
}

/** Sent to whoever reads the tar: large enough to be worth a turn, small enough to hold several. */
const BLOCK_SIZE = 1 << 20;

const planTask: ThreadTask<TreePlanArgs, readonly PlanBlock[]> = ({ trees }, context: ThreadContext) => [
  ...cutBlocks(
    planTrees(trees, () => context.throwIfAborted()),
    BLOCK_SIZE,
    0,
  ),
];
export default planTask;
