/**
 * Cache-map digest of a file op: sha256 of Go JSON that holds each action's Go JSON as bytes. Wire facts E5.5,
 * member order E5.16, golden values G1.
 */
import { type Digest, sha256 } from '../../util/digest.js';
import { type GoStruct, goJson, omitEmpty } from '../../util/go-json.js';
import { baseOf } from '../../util/gofs/path.js';
import type { FileBody, FileStep, FileStepAction, OwnerRef, OwnerRefs } from '../model.js';

export const fileKey = (body: FileBody, inputCount: number): Digest => sha256(fileKeyText(body, inputCount));

/** The text that is hashed. */
export const fileKeyText = (body: FileBody, inputCount: number): string =>
  goJson({
    Type: 'buildkit.file.v0',
    Actions: body.actions.map((step) => Buffer.from(goJson(actionJson(keyedAction(step, inputCount))))),
    indexes: isDefaultChain(body.actions)
      ? undefined
      : body.actions.map((step) => [step.input, step.secondaryInput, step.output]),
  });

/** What a copy reads of an op's input is keyed by content, so only the name it arrives under matters here. */
function keyedAction({ action, secondaryInput }: FileStep, inputCount: number): FileStepAction {
  const readsInput = secondaryInput !== -1 && secondaryInput < inputCount;
  return action.kind === 'copy' && readsInput ? { ...action, src: baseOf(action.src) } : action;
}

/** Keys of old versions had no indexes; the most usual shape of graph keeps them. */
function isDefaultChain(steps: readonly FileStep[]): boolean {
  const last = steps.length - 1;
  return (
    steps.length > 0 &&
    steps.every(
      (step, i) =>
        step.input === (i === 0 ? 0 : steps.length + i - 1) &&
        (step.secondaryInput === -1 || step.secondaryInput === 1) &&
        step.output === (i === last ? 0 : -1),
    )
  );
}

function actionJson(action: FileStepAction): GoStruct {
  switch (action.kind) {
    case 'copy':
      return omitEmpty({
        src: action.src,
        dest: action.dest,
        owner: ownerJson(action.owner),
        mode: action.mode,
        followSymlink: action.followSymlink,
        dirCopyContents: action.dirCopyContents,
        attemptUnpackDockerCompatibility: action.attemptUnpack,
        createDestPath: action.createDestPath,
        allowWildcard: action.allowWildcard,
        allowEmptyWildcard: action.allowEmptyWildcard,
        timestamp: action.timestamp,
        include_patterns: action.includePatterns,
        exclude_patterns: action.excludePatterns,
        alwaysReplaceExistingDestPaths: action.alwaysReplaceExistingDestPaths,
        modeStr: action.modeStr,
        required_paths: action.requiredPaths,
      });
    case 'mkfile': {
      const { path, mode, data, owner, timestamp } = action;
      return omitEmpty({ path, mode, data, owner: ownerJson(owner), timestamp });
    }
    case 'mkdir': {
      const { path, mode, makeParents, owner, timestamp } = action;
      return omitEmpty({ path, mode, makeParents, owner: ownerJson(owner), timestamp });
    }
    case 'symlink': {
      const { oldpath, newpath, owner, timestamp } = action;
      return omitEmpty({ oldpath, newpath, owner: ownerJson(owner), timestamp });
    }
    case 'rm': {
      const { path, allowNotFound, allowWildcard } = action;
      return omitEmpty({ path, allowNotFound, allowWildcard });
    }
  }
}

const ownerJson = (owner: OwnerRefs | undefined): GoStruct | undefined =>
  owner && omitEmpty({ user: userJson(owner.user), group: userJson(owner.group) });

function userJson(user: OwnerRef | undefined): GoStruct | undefined {
  switch (user?.kind) {
    case undefined:
      return undefined;
    case 'name':
      return { User: { byName: omitEmpty({ name: user.name, input: user.input }) } };
    case 'id':
      return { User: omitEmpty({ byId: user.id }) };
    case 'unset':
      return { User: {} };
  }
}
