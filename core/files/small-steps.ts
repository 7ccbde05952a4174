/**
 * Steps that are done sooner than a thread would hear of them: a few system calls for one new file, folder or link. A
 * graph may have thousands of them, each an op of its own.
 */
import { type FileAction, type FileStep, FileStepError, type OwnerSpec } from '../contracts/files.js';
import { LayerWriter } from '../util/tree/layer-writer.js';
import { mkdir } from './actions/mkdir.js';
import { mkfile } from './actions/mkfile.js';
import { symlink } from './actions/symlink.js';
import { asFileError } from './errors.js';
import { findOwner, type OwnerLookup } from './owners.js';

/** More at once would keep others waiting. */
const MOST_STEPS = 4;
/** Bytes of a file. */
const MOST_DATA = 16 << 10;

interface SmallStep {
  readonly action: Extract<FileAction, { kind: 'mkfile' | 'mkdir' | 'symlink' }>;
  readonly owner: OwnerLookup | undefined;
}

/** The steps, if all of them are small. */
export function smallSteps(steps: readonly FileStep[]): readonly SmallStep[] | undefined {
  if (steps.length > MOST_STEPS) return undefined;
  const small = steps.flatMap(({ action }) => smallStep(action) ?? []);
  return small.length === steps.length ? small : undefined;
}

function smallStep(action: FileAction): SmallStep | undefined {
  if (action.kind === 'copy' || action.kind === 'rm') return undefined;
  if (action.kind === 'mkfile' && action.data.length > MOST_DATA) return undefined;
  const owner = action.owner && numbered(action.owner);
  return action.owner && !owner ? undefined : { action, owner };
}

/** Owners without names: those are looked up in trees. */
function numbered({ user, group }: OwnerSpec): OwnerLookup | undefined {
  if (user && !('id' in user)) return undefined;
  if (group && !('id' in group)) return undefined;
  return { ...(user ? { user } : {}), ...(group ? { group } : {}) };
}

/** Each step sees the tree as it is by then. `layers` topmost first; the first is written. */
export function applySmallSteps(steps: readonly SmallStep[], layers: readonly string[]): void {
  for (const [position, { action, owner }] of steps.entries()) {
    try {
      applyStep(action, new LayerWriter(layers), owner);
    } catch (error) {
      const path = action.kind === 'symlink' ? action.newpath : action.path;
      throw new FileStepError(position, asFileError(error, path));
    }
  }
}

function applyStep(action: SmallStep['action'], writer: LayerWriter, lookup: OwnerLookup | undefined): void {
  const owner = findOwner(lookup);
  switch (action.kind) {
    case 'mkfile':
      mkfile(action, writer, owner);
      return;
    case 'mkdir':
      mkdir(action, writer, owner);
      return;
    case 'symlink':
      symlink(action, writer, owner);
      return;
    default:
      action satisfies never;
  }
}
