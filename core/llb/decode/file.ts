import type { pb } from '../../../proto/index.js';
import type { FileBody, FileStep, FileStepAction, OwnerRef, OwnerRefs } from '../model.js';
import { checkOutputs, indexOrNone, malformed, nonEmpty } from './fields.js';

export function decodeFile(file: pb.FileOp, inputCount: number): FileBody {
  if (file.actions.length === 0) throw malformed('file.actions', 'missing');
  const actions = file.actions.map((action, i) => decodeStep(action, inputCount, i));
  const outputs = actions.map((action) => action.output);
  if (outputs.every((output) => output === -1)) throw malformed('file.actions', 'none of them has an output');
  checkOutputs(outputs, 'file.actions');
  return { kind: 'file', actions };
}

/** Indexes name an input of the op or an earlier action. */
function decodeStep(step: pb.FileAction, inputCount: number, position: number): FileStep {
  const where = `file.actions[${position}]`;
  const trees = inputCount + position;
  if (step.output < -1) throw malformed(`${where}.output`, `invalid index ${step.output}`);
  return {
    input: indexOrNone(step.input, trees, `${where}.input`),
    secondaryInput: indexOrNone(step.secondaryInput, trees, `${where}.secondaryInput`),
    output: step.output,
    action: decodeAction(step, trees, where),
  };
}

function decodeAction(step: pb.FileAction, trees: number, where: string): FileStepAction {
  const owner = (chown: pb.ChownOpt | undefined, at: string): OwnerRefs | undefined =>
    chown && {
      user: decodeOwner(chown.user, trees, `${where}.${at}.owner.user`),
      group: decodeOwner(chown.group, trees, `${where}.${at}.owner.group`),
    };
  if (step.copy) return decodeCopy(step.copy, owner(step.copy.owner, 'copy'));
  if (step.mkfile) {
    const { path, mode, data, timestamp } = step.mkfile;
    nonEmpty(path, `${where}.mkfile.path`);
    const at = BigInt(timestamp);
    return { kind: 'mkfile', path, mode, data, owner: owner(step.mkfile.owner, 'mkfile'), timestamp: at };
  }
  if (step.mkdir) {
    const { path, mode, makeParents, timestamp } = step.mkdir;
    nonEmpty(path, `${where}.mkdir.path`);
    const at = BigInt(timestamp);
    return { kind: 'mkdir', path, mode, makeParents, owner: owner(step.mkdir.owner, 'mkdir'), timestamp: at };
  }
  if (step.symlink) {
    const { oldpath, newpath, timestamp } = step.symlink;
    nonEmpty(newpath, `${where}.symlink.newpath`);
    const at = BigInt(timestamp);
    return { kind: 'symlink', oldpath, newpath, owner: owner(step.symlink.owner, 'symlink'), timestamp: at };
  }
  if (step.rm) {
    const { path, allowNotFound, allowWildcard } = step.rm;
    return { kind: 'rm', path: nonEmpty(path, `${where}.rm.path`), allowNotFound, allowWildcard };
  }
  throw malformed(where, 'it holds no action that is known (copy, mkfile, mkdir, symlink, rm)');
}

const decodeCopy = (copy: pb.FileActionCopy, owner: OwnerRefs | undefined): FileStepAction => ({
  kind: 'copy',
  src: copy.src,
  dest: copy.dest,
  owner,
  mode: copy.mode,
  followSymlink: copy.followSymlink,
  dirCopyContents: copy.dirCopyContents,
  attemptUnpack: copy.attemptUnpackDockerCompatibility,
  createDestPath: copy.createDestPath,
  allowWildcard: copy.allowWildcard,
  allowEmptyWildcard: copy.allowEmptyWildcard,
  timestamp: BigInt(copy.timestamp),
  includePatterns: copy.includePatterns,
  excludePatterns: copy.excludePatterns,
  alwaysReplaceExistingDestPaths: copy.alwaysReplaceExistingDestPaths,
  modeStr: copy.modeStr,
  requiredPaths: copy.requiredPaths,
});

function decodeOwner(user: pb.UserOpt | undefined, trees: number, where: string): OwnerRef | undefined {
  if (!user) return undefined;
  if (user.byName) {
    const { name, input } = user.byName;
    // Unlike other indexes, -1 makes no sense here: names need a tree with a passwd file.
    if (input < 0) throw malformed(`${where}.byName.input`, `invalid user index ${input}`);
    return { kind: 'name', name, input: indexOrNone(input, trees, `${where}.byName.input`) };
  }
  return user.byID === undefined ? { kind: 'unset' } : { kind: 'id', id: user.byID };
}
