/** LLB's file actions as the file engine takes them. */
import type { FileAction, FileTime, OwnerSpec } from '../../../contracts/files.js';
import type { ImmutableRef, MutableRef } from '../../../contracts/refs.js';
import type { CopyStep, FileStepAction, OwnerRef, OwnerRefs } from '../../model.js';

/** Finds the tree that an index of the op names; undefined is scratch. */
export type TreeLookup = (index: number) => ImmutableRef | MutableRef | undefined;

export function engineAction(action: FileStepAction, trees: TreeLookup): FileAction {
  switch (action.kind) {
    case 'copy':
      return copyAction(action, trees);
    case 'mkfile': {
      const { kind, path, mode, data } = action;
      return { kind, path, mode, data, ...owner(action.owner, trees), timestamp: time(action.timestamp) };
    }
    case 'mkdir': {
      const { kind, path, mode, makeParents } = action;
      return {
        kind,
        path,
        mode,
        makeParents,
        ...owner(action.owner, trees),
        timestamp: time(action.timestamp),
      };
    }
    case 'symlink': {
      const { kind, oldpath, newpath } = action;
      return { kind, oldpath, newpath, ...owner(action.owner, trees), timestamp: time(action.timestamp) };
    }
    case 'rm':
      return action;
  }
}

function copyAction(copy: CopyStep, trees: TreeLookup): FileAction {
  const { owner: ownerRefs, mode, modeStr, timestamp, ...same } = copy;
  return {
    ...same,
    ...owner(ownerRefs, trees),
    ...(mode === -1 ? {} : { mode }),
    ...(modeStr === '' ? {} : { modeStr }),
    timestamp: time(timestamp),
  };
}

/** -1 on the wire leaves the time as it comes. */
const time = (timestamp: bigint): FileTime => (timestamp === -1n ? undefined : timestamp);

function owner(refs: OwnerRefs | undefined, trees: TreeLookup): { readonly owner?: OwnerSpec } {
  const user = ownerOf(refs?.user, trees);
  const group = ownerOf(refs?.group, trees);
  return user || group ? { owner: { ...(user ? { user } : {}), ...(group ? { group } : {}) } } : {};
}

function ownerOf(ref: OwnerRef | undefined, trees: TreeLookup): OwnerSpec['user'] {
  switch (ref?.kind) {
    case 'id':
      return { id: ref.id };
    case 'name':
      return { name: ref.name, in: trees(ref.input) };
    default:
      return undefined;
  }
}
