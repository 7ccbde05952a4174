/** The sources of a COPY or ADD as one chain of file actions. */
import {
  type CopyOptions,
  copy,
  type FileAction,
  mkfile,
  type State,
  scratch,
} from '../../../../client/llb/index.js';
import { joinPath } from '../../../../core/util/gofs/path.js';
import type { Add, Copy, InlineFile } from '../instructions/types.js';
import { syntaxError } from '../located.js';
import { copyMode } from './copy-mode.js';
import { remoteSource } from './copy-remote.js';
import { absolute } from './paths.js';
import type { StageBuild } from './stage-build.js';

export interface CopyWork {
  /** With its variables filled in. */
  readonly instruction: Copy | Add;
  /** The tree that paths are taken from. */
  readonly from: State;
  readonly dest: string;
  /** What progress calls the step; downloads go by the same name. */
  readonly name: string;
}

/** A tree, the path in it, and how to copy that. */
export interface CopyPart {
  readonly from: State;
  readonly source: string;
  readonly options: CopyOptions;
}

export function copyAction(work: CopyWork, stage: StageBuild): FileAction {
  const { instruction, from, dest } = work;
  const shared: CopyOptions = {
    mode: copyMode(instruction.chmod),
    createDestPath: true,
    owner: instruction.chown || undefined,
    excludePatterns: instruction.excludes,
  };
  const ofPaths = pathOptions(instruction, shared);
  const parts = [
    ...instruction.sources.map(
      (source) => remoteSource(source, work, shared) ?? pathSource(source, instruction, from, ofPaths),
    ),
    ...instruction.files.map((file) => ({
      from: inlineTree(file, stage),
      source: file.name,
      options: shared,
    })),
  ];
  const action = parts.reduce<FileAction | undefined>(
    (chain, part) =>
      chain
        ? chain.copy(part.from, part.source, dest, part.options)
        : copy(part.from, part.source, dest, part.options),
    undefined,
  );
  if (!action) throw syntaxError(`${instruction.kind.toUpperCase()} has nothing to copy`);
  return action;
}

/** Written out: most Dockerfiles have many of these. */
const pathOptions = (
  instruction: Copy | Add,
  { mode, createDestPath, owner, excludePatterns }: CopyOptions,
): CopyOptions => ({
  mode,
  createDestPath,
  owner,
  excludePatterns,
  followSymlinks: true,
  contentsOnly: true,
  unpack: instruction.kind === 'add' ? (instruction.unpack ?? true) : false,
  allowWildcard: true,
  allowEmptyWildcard: true,
});

function pathSource(source: string, instruction: Copy | Add, from: State, options: CopyOptions): CopyPart {
  if (instruction.kind === 'add' || !instruction.parents)
    return { from, source: absolute('/', source), options };
  return { from, ...withParents(source, options) };
}

/** `--parents` keeps the path below the pivot `/./`, or all of it. */
function withParents(source: string, options: CopyOptions): Omit<CopyPart, 'from'> {
  const pivot = source.indexOf('/./');
  const root = pivot < 0 ? '/' : source.slice(0, pivot);
  const rest = pivot < 0 ? source : source.slice(pivot + 3);
  const pattern = absolute('/', rest).replace(/^\//, '');
  const required =
    hasWildcards(root) || hasWildcards(pattern) ? [] : [absolute('/', joinPath(root, `/${pattern}`))];
  return {
    source: absolute('/', root),
    options: { ...options, includePatterns: [pattern], requiredPaths: required },
  };
}

const hasWildcards = (path: string): boolean => /^(?:\\.|[^\\*?[])*[*?[]/s.test(path);

const inlineTree = (file: InlineFile, stage: StageBuild): State =>
  scratch().file(mkfile(file.name, 0o644, file.content), {
    name: '[internal] preparing inline document',
    platform: stage.platform,
  });
