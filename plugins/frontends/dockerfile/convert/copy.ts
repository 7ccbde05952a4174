/** COPY and ADD. BuildKit: frontend/dockerfile/dockerfile2llb/convert.go dispatchCopy. */

import {
  type CopyOptions,
  caps,
  copy,
  type FileAction,
  merge,
  mkfile,
  type State,
  scratch,
} from '../../../../client/llb/index.js';
import { unsupported } from '../../../../core/contracts/errors.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { joinPath } from '../../../../core/util/gofs/path.js';
import { newId } from '../../../../core/util/identity.js';
import { expand } from '../expand/shell-lex.js';
import type { Add, Copy, CopySpec, InlineFile } from '../instructions/types.js';
import { syntaxError } from '../located.js';
import { copyMode } from './copy-mode.js';
import { refuseRemote } from './copy-remote.js';
import { record } from './history.js';
import { displayCommand, stepName } from './names.js';
import { absolute, destinationPath, rooted } from './paths.js';
import type { Command, StageBuild } from './stage-build.js';
import { type Converter, fill, locations, type StepContext } from './step.js';

export const convertAdd: Converter<'add'> = (stage, instruction, context, command) => {
  const spec = fillSpec(stage, instruction, context);
  refuseRemote(spec.sources, 'ADD');
  convertFiles(stage, instruction, spec, context.buildContext, context, command);
  for (const source of spec.sources) stage.contextPaths.add(rooted(source));
};

export const convertCopy: Converter<'copy'> = (stage, instruction, context, command) => {
  const [from] = command.sources;
  if (from && !from.dispatched) {
    throw syntaxError(
      `cannot copy from stage ${goQuote(instruction.from ?? '')}, it needs to be defined before current stage ${goQuote(stage.displayName)}`,
    );
  }
  const spec = fillSpec(stage, instruction, context);
  refuseRemote(spec.sources, 'COPY');
  convertFiles(stage, instruction, spec, from ? from.state : context.buildContext, context, command);
  const paths = from ? from.paths : stage.contextPaths;
  for (const source of spec.sources) paths.add(rooted(source));
};

function fillSpec(stage: StageBuild, spec: CopySpec, context: StepContext): CopySpec {
  const word = (text: string): string => fill(stage, context, text);
  const raw = (text: string): string => expand(text, stage.env, { escapeToken: '\\', skipQuotes: true }).text;
  return {
    ...spec,
    chown: word(spec.chown),
    chmod: word(spec.chmod),
    sources: spec.sources.map(word),
    dest: word(spec.dest),
    files: spec.files.map((file) => (file.expand ? { ...file, content: raw(file.content) } : file)),
  };
}

function convertFiles(
  stage: StageBuild,
  instruction: Copy | Add,
  spec: CopySpec,
  from: State,
  context: StepContext,
  { onBuild }: Command,
): void {
  const { options, lex } = context;
  const dest = destinationPath(stage.state, spec.dest);
  const shared: CopyOptions = {
    mode: copyMode(spec.chmod),
    createDestPath: true,
    owner: spec.chown || undefined,
    excludePatterns: spec.excludes,
  };
  const action = [
    ...spec.sources.map((source) => ({ from, ...sourceOptions(source, instruction, shared) })),
    ...spec.files.map((file) => ({ from: inlineTree(file, stage), source: file.name, options: shared })),
  ].reduce<FileAction | undefined>(
    (chain, part) =>
      chain
        ? chain.copy(part.from, part.source, dest, part.options)
        : copy(part.from, part.source, dest, part.options),
    undefined,
  );
  if (!action) throw syntaxError(`${instruction.kind.toUpperCase()} has nothing to copy`);
  const { env } = stage;
  const platform = stage.platform ?? context.targetPlatform;
  const text = displayCommand(instruction.code, env, lex);
  const place = (what: string): string =>
    stepName(stage, what, { multiPlatform: options.multiPlatform, platform, env, onBuild });
  const constraint = {
    name: place(text),
    locations: locations(context, instruction),
    ignoreCache: stage.ignoreCache,
  };
  stage.state =
    spec.link && spec.chmod === ''
      ? linked(stage, action, constraint, () => place(`LINK ${text}`), context)
      : stage.state.file(action, constraint);
  record(stage, historyText(instruction, spec), options.epoch, { layer: true });
}

/** A linked copy is a layer of its own, laid over the stage: it stays valid when the stage below changes. */
function linked(
  stage: StageBuild,
  action: FileAction,
  constraint: { readonly name: string; readonly ignoreCache: boolean },
  linkName: () => string,
  { options, targetPlatform }: StepContext,
): State {
  if (!options.caps.has(caps.mergeOp)) {
    throw unsupported('dockerfile.unsupported', '--link is not supported yet', {
      hint: 'leave --link out: the image is the same, only rebuilding on a changed base is slower',
    });
  }
  const id = newId();
  const files = scratch().file(action, {
    ...constraint,
    platform: stage.platform ?? targetPlatform,
    progressGroup: { id, name: constraint.name, weak: true },
  });
  stage.stepIndex--;
  const name = linkName();
  const progressGroup = { id, name: constraint.name, weak: false };
  return stage.state.withOutput(merge([stage.state, files], { ...constraint, name, progressGroup }).output);
}

function sourceOptions(
  source: string,
  instruction: Copy | Add,
  shared: CopyOptions,
): { readonly source: string; readonly options: CopyOptions } {
  const isAdd = instruction.kind === 'add';
  const options: CopyOptions = {
    ...shared,
    followSymlinks: true,
    contentsOnly: true,
    unpack: isAdd ? (instruction.unpack ?? true) : false,
    allowWildcard: true,
    allowEmptyWildcard: true,
  };
  if (isAdd || !instruction.parents) return { source: absolute('/', source), options };
  return withParents(source, options);
}

/** `--parents` keeps the path below the pivot `/./`, or all of it. */
function withParents(
  source: string,
  options: CopyOptions,
): { readonly source: string; readonly options: CopyOptions } {
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

function inlineTree(file: InlineFile, stage: StageBuild): State {
  return scratch().file(mkfile(file.name, 0o644, file.content), {
    name: '[internal] preparing inline document',
    platform: stage.platform,
  });
}

function historyText(instruction: Copy | Add, { chown, chmod, sources, files, dest }: CopySpec): string {
  return [
    instruction.kind.toUpperCase(),
    ...(instruction.kind === 'copy' && instruction.parents ? ['--parents'] : []),
    ...(chown ? [`--chown=${chown}`] : []),
    ...(chmod ? [`--chmod=${chmod}`] : []),
    ...sources,
    ...files.map(({ name }) => `<<${name}`),
    dest,
  ].join(' ');
}
