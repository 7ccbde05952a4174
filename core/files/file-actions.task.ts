import type { FileAction } from '../contracts/files.js';
import type { ThreadContext, ThreadTask } from '../contracts/threads.js';
import { LayerWriter } from '../util/tree/layer-writer.js';
import { copy } from './actions/copy.js';
import { mkdir } from './actions/mkdir.js';
import { mkfile } from './actions/mkfile.js';
import { rm } from './actions/rm.js';
import { symlink } from './actions/symlink.js';
import { asFileError } from './errors.js';
import { findOwner, type OwnerLookup } from './owners.js';

export interface FileActionsArgs {
  readonly steps: readonly FileActionStep[];
  /** Layers of the target, the writable one first. */
  readonly target: readonly string[];
  /** Inodes that earlier actions linked into the target. */
  readonly linked: Float64Array;
}
export interface FileActionStep {
  readonly action: FileAction;
  readonly owner: OwnerLookup | undefined;
  readonly source: readonly string[];
  readonly immutableSource: boolean;
}
export interface FileActionsResult {
  /** Inodes that these actions linked into the target. */
  readonly linked: Float64Array;
}

/** Reports the position of the step that fails, before it does. */
const applyActions: ThreadTask<FileActionsArgs, FileActionsResult> = async (args, context) => {
  const linked = new Set(args.linked);
  for (const [position, step] of args.steps.entries()) {
    context.throwIfAborted();
    try {
      await applyStep(step, new LayerWriter(args.target), linked, context);
    } catch (error) {
      context.report(position);
      throw asFileError(error, pathOf(step.action));
    }
  }
  // A set keeps the order of insertion: what is new is at the end.
  return { linked: Float64Array.from([...linked].slice(args.linked.length)) };
};
export default applyActions;

async function applyStep(
  { action, owner: lookup, source, immutableSource }: FileActionStep,
  writer: LayerWriter,
  linked: Set<number>,
  context: ThreadContext,
): Promise<void> {
  const owner = findOwner(lookup);
  const checkpoint = (): void => context.throwIfAborted();
  switch (action.kind) {
    case 'copy':
      await copy(action, { writer, owner, source, immutableSource, linked, checkpoint });
      return;
    case 'mkfile':
      mkfile(action, writer, owner);
      return;
    case 'mkdir':
      mkdir(action, writer, owner);
      return;
    case 'symlink':
      symlink(action, writer, owner);
      return;
    case 'rm':
      rm(action, writer);
      return;
    default:
      action satisfies never;
  }
}

function pathOf(action: FileAction): string {
  switch (action.kind) {
    case 'copy':
      return action.dest;
    case 'symlink':
      return action.newpath;
    default:
      return action.path;
  }
}
