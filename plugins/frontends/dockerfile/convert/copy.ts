/** COPY and ADD. BuildKit: frontend/dockerfile/dockerfile2llb/convert.go dispatchCopy. */
import { caps, type FileAction, merge, type State, scratch } from '../../../../client/llb/index.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { newId } from '../../../../core/util/identity.js';
import type { LexOptions } from '../expand/shell-lex.js';
import type { Add, Copy } from '../instructions/types.js';
import { syntaxError } from '../located.js';
import { checkChecksum, isRemote, isWebUrl } from './copy-remote.js';
import { type CopyWork, copyAction } from './copy-sources.js';
import { record } from './history.js';
import { displayCommand, stepName } from './names.js';
import { destinationPath, rooted } from './paths.js';
import type { Command, StageBuild } from './stage-build.js';
import { type Converter, fill, locations, type StepContext } from './step.js';

export const convertAdd: Converter<'add'> = (stage, instruction, context, command) => {
  const filled = fillSpec(stage, instruction, context);
  checkChecksum(filled);
  checkIgnored(filled, context);
  convertFiles(stage, filled, context.buildContext, context, command);
  for (const source of filled.sources) if (!isWebUrl(source)) stage.contextPaths.add(rooted(source));
};

export const convertCopy: Converter<'copy'> = (stage, instruction, context, command) => {
  const [from] = command.sources;
  if (from && !from.dispatched) {
    throw syntaxError(
      `cannot copy from stage ${goQuote(instruction.from ?? '')}, it needs to be defined before current stage ${goQuote(stage.displayName)}`,
    );
  }
  const filled = fillSpec(stage, instruction, context);
  if (!from) checkIgnored(filled, context);
  convertFiles(stage, filled, from ? from.state : context.buildContext, context, command);
  const paths = from ? from.paths : stage.contextPaths;
  for (const source of filled.sources) paths.add(rooted(source));
};

const rawLex: LexOptions = { escapeToken: '\\', skipQuotes: true };

function fillSpec<Spec extends Copy | Add>(stage: StageBuild, spec: Spec, context: StepContext): Spec {
  const word = (text: string): string => fill(stage, context, spec, text);
  const raw = (text: string): string => fill(stage, context, spec, text, rawLex);
  return {
    ...spec,
    chown: word(spec.chown),
    chmod: word(spec.chmod),
    ...(spec.kind === 'add' ? { checksum: word(spec.checksum) } : {}),
    sources: spec.sources.map(word),
    dest: word(spec.dest),
    files: spec.files.map((file) => (file.expand ? { ...file, content: raw(file.content) } : file)),
  };
}

function checkIgnored({ kind, sources, ranges }: Copy | Add, { isIgnored, options }: StepContext): void {
  if (!isIgnored) return;
  for (const path of sources) {
    if (!isRemote(path) && isIgnored(path)) options.lint.tell('ignoredPath', { kind, path, ranges });
  }
}

function convertFiles(
  stage: StageBuild,
  instruction: Copy | Add,
  from: State,
  context: StepContext,
  { onBuild }: Command,
): void {
  const { options, lex } = context;
  const { env } = stage;
  const platform = stage.platform ?? context.targetPlatform;
  const text = displayCommand(instruction.code, env, lex);
  const place = (what: string): string =>
    stepName(stage, what, { multiPlatform: options.multiPlatform, platform, env, onBuild });
  const name = place(text);
  const work: CopyWork = { instruction, from, dest: destinationPath(stage.state, instruction.dest), name };
  const action = copyAction(work, stage);
  const constraint = { name, locations: locations(context, instruction), ignoreCache: stage.ignoreCache };
  const isLinked = instruction.link && instruction.chmod === '' && options.caps.has(caps.mergeOp);
  stage.state = isLinked
    ? linked(stage, action, constraint, () => place(`LINK ${text}`), context)
    : stage.state.file(action, constraint);
  record(stage, historyText(instruction), options.epoch, { layer: true });
}

/** A linked copy is a layer of its own, laid over the stage: it stays valid when the stage below changes. */
function linked(
  stage: StageBuild,
  action: FileAction,
  constraint: { readonly name: string; readonly ignoreCache: boolean },
  linkName: () => string,
  { targetPlatform }: StepContext,
): State {
  const id = newId();
  const files = scratch().file(action, {
    ...constraint,
    platform: stage.platform ?? targetPlatform,
    progressGroup: { id, name: constraint.name, weak: true },
  });
  // Both steps are one of the stage's.
  stage.stepIndex--;
  const name = linkName();
  const progressGroup = { id, name: constraint.name, weak: false };
  return stage.state.withOutput(merge([stage.state, files], { ...constraint, name, progressGroup }).output);
}

function historyText(instruction: Copy | Add): string {
  const { chown, chmod, sources, files, dest } = instruction;
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
