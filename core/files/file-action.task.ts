import type { FileAction } from '../contracts/files.js';
import type { ThreadTask } from '../contracts/threads.js';
import { LayerWriter } from '../util/tree/layer-writer.js';
import { copy } from './actions/copy.js';
import { mkdir } from './actions/mkdir.js';
import { mkfile } from './actions/mkfile.js';
import { rm } from './actions/rm.js';
import { symlink } from './actions/symlink.js';
import { asFileError } from './errors.js';
import { findOwner, type OwnerLookup } from './owners.js';

export interface FileActionArgs {
  readonly action: FileAction;
  readonly owner: OwnerLookup | undefined;
  /** Layers of the target, the writable one first. */
  readonly target: readonly string[];
  readonly source: readonly string[];
  readonly immutableSource: boolean;
  /** Inodes that earlier actions linked into the target. */
  readonly linked: readonly Float64Array[];
}
export interface FileActionResult {
  /** Inodes that this action linked into the target. */
  readonly linked: Float64Array;
}

const applyAction: ThreadTask<FileActionArgs, FileActionResult> = async (args, context) => {
  const { action } = args;
  const writer = new LayerWriter(args.target);
  const linked = new Set<number>();
  for (const inodes of args.linked) for (const inode of inodes) linked.add(inode);
  const before = linked.size;
  try {
    const owner = findOwner(args.owner);
    switch (action.kind) {
      case 'copy': {
        const { source, immutableSource } = args;
        const checkpoint = (): void => context.throwIfAborted();
        await copy(action, { writer, owner, source, immutableSource, linked, checkpoint });
        break;
      }
      case 'mkfile':
        mkfile(action, writer, owner);
        break;
      case 'mkdir':
        mkdir(action, writer, owner);
        break;
      case 'symlink':
        symlink(action, writer, owner);
        break;
      case 'rm':
        rm(action, writer);
        break;
      default:
        action satisfies never;
    }
  } catch (error) {
    throw asFileError(error, pathOf(action));
  }
  // A set keeps the order of insertion: what is new is at the end.
  return { linked: Float64Array.from([...linked].slice(before)) };
};
export default applyAction;

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
