/**
 * A Dockerfile as LLB: stages are planned, the bases of those that the target needs are resolved, and their
 * instructions converted one by one. BuildKit: frontend/dockerfile/dockerfile2llb/convert.go.
 */
import { DEFAULT_PATH, deferredOutput, type ProxyOptions, State } from '../../../../client/llb/index.js';
import { BuildError, unsupported } from '../../../../core/contracts/errors.js';
import { cleanPath } from '../../../../core/util/gofs/path.js';
import { PatternMatcher } from '../../../../core/util/patterns/pattern-matcher.js';
import { normalizePlatform, type Platform } from '../../../../core/util/platform.js';
import { expand } from '../expand/shell-lex.js';
import { imagePlatform, platformFields } from '../image-config/empty.js';
import type { Image } from '../image-config/image.js';
import { suggestion } from '../instructions/flags.js';
import type { Dockerfile } from '../instructions/types.js';
import { syntaxError } from '../located.js';
import { type GlobalArgs, globalArgs, platformArgs } from './args.js';
import { resolveBases } from './bases.js';
import { planCommands, refuseCycles } from './commands.js';
import { dispatch } from './dispatch.js';
import type { Converted, ConvertOptions } from './options.js';
import { pathList } from './paths.js';
import { planStages } from './plan-stages.js';
import { scanTargets } from './scan-targets.js';
import type { StageBuild } from './stage-build.js';
import { reachable, type StageList } from './stage-list.js';
import type { StepContext } from './step.js';
import { takeTriggers } from './triggers.js';
import { setUser } from './user.js';
import { setWorkdir } from './workdir.js';

export async function convert(
  dockerfile: Dockerfile,
  options: ConvertOptions,
  signal: AbortSignal,
): Promise<Converted> {
  const { lint } = options;
  const lex = { escapeToken: dockerfile.escapeToken };
  const targetPlatform = options.targetPlatform ?? options.buildPlatform;
  if (targetPlatform.os === 'windows') {
    throw unsupported('dockerfile.unsupported', 'building Windows images is not supported');
  }
  checkDefaultBases(dockerfile, targetPlatform, options);
  const args = argsOf(dockerfile, targetPlatform, options, options.buildArgs);
  const stages = planStages(dockerfile, args, targetPlatform, options, lex);
  const target = findTarget(stages, options.target);
  for (const stage of [...stages.all])
    stage.commands = planCommands(stage, stage.source.instructions, stages, lex);
  refuseCycles(stages);
  const [only, ...others] = stages.all;
  if (only && others.length === 0) only.displayName = '';

  await resolveAll(target, { options, stages, targetPlatform }, lex, signal);
  let context: State | undefined;
  const buildContext = new State(deferredOutput(() => context!.output!));
  const step = {
    options,
    lex,
    globalArgs: args.env,
    targetPlatform,
    buildContext,
    proxy: proxyOf(options.buildArgs),
    isIgnored: await ignoredPaths(options, signal),
  };
  const needed = reachable(target);
  const wanted = (stage: StageBuild): boolean =>
    options.allStages || (needed.has(stage) && !stage.dispatched);
  for (const stage of stages.all) if (wanted(stage)) convertStage(stage, step);

  const contextPaths = new Set([...needed].flatMap((stage) => [...stage.contextPaths]));
  // All of the target is the result, whatever its instructions read of it.
  target.paths.add('/');
  lint.finish();
  context = await options.contexts.main(pathList(contextPaths), signal);
  return {
    state: target.state,
    image: finishImage(target.image, targetPlatform, options),
    baseImage: target.baseImage,
    platform: targetPlatform,
    target,
    scans: scanTargets(target, needed, step),
  };
}

const argsOf = (
  { globalArgs: declarations, stages, escapeToken }: Dockerfile,
  target: Platform,
  options: ConvertOptions,
  buildArgs: ConvertOptions['buildArgs'],
): GlobalArgs => {
  const name = options.target || (stages.at(-1)?.name ?? '');
  const initial = platformArgs(options.buildPlatform, target, name, options.buildArgs);
  return globalArgs(initial, declarations, buildArgs, { escapeToken });
};

/** A Dockerfile should make sense without build arguments, too. */
function checkDefaultBases(dockerfile: Dockerfile, target: Platform, options: ConvertOptions): void {
  if (!options.lint.hears('defaultBase')) return;
  const { escapeToken } = dockerfile;
  try {
    const { env } = argsOf(dockerfile, target, options, {});
    for (const stage of dockerfile.stages) {
      const base = expand(stage.base, env, { escapeToken }).text;
      options.lint.tell('defaultBase', { stage, base });
    }
  } catch (error) {
    // Most likely the build fails of it in a moment; if not, there is nothing to say without build arguments.
    if (BuildError.from(error).code !== 'dockerfile.expand') throw error;
  }
}

async function ignoredPaths(
  { lint, contexts }: ConvertOptions,
  signal: AbortSignal,
): Promise<StepContext['isIgnored']> {
  if (!lint.hears('ignoredPath')) return undefined;
  const matcher = new PatternMatcher(await contexts.excludes(signal));
  return (path) => matcher.matches(cleanPath(path).replace(/^\//, ''));
}

function findTarget(stages: StageList, name: string): StageBuild {
  const found = name === '' ? stages.all.at(-1) : stages.byName(name);
  if (!found)
    throw syntaxError(`target stage "${name}" could not be found${suggestion(name, stages.names())}`);
  return found;
}

/** Triggers of a base may name further images, whose triggers may name more. */
async function resolveAll(
  target: StageBuild,
  context: Parameters<typeof resolveBases>[1],
  lex: StepContext['lex'],
  signal: AbortSignal,
): Promise<void> {
  let more = true;
  while (more) {
    await resolveBases(target, context, signal);
    more = false;
    for (const stage of reachable(target)) if (takeTriggers(stage, context.stages, lex)) more = true;
  }
}

function convertStage(stage: StageBuild, context: StepContext): void {
  const { options } = context;
  stage.inherit();
  stage.dispatched = true;
  stage.platform ??= context.targetPlatform;
  const { config } = stage.image;
  if (!config.env.pairs.some(([key]) => key === 'PATH')) config.env.set('PATH', DEFAULT_PATH);
  stage.state = stage.state.envs(config.env.pairs);
  if (options.hostname) stage.state = stage.state.hostname(options.hostname);
  if (config.workingDir) setWorkdir(stage, config.workingDir);
  if (config.user) setUser(stage, config.user);
  stage.state = stage.state.network(options.network);
  for (const command of stage.commands) dispatch(stage, command, context);
}

/** Proxies reach every process, but are no part of image, history or cache. */
function proxyOf(buildArgs: Readonly<Record<string, string>>): ProxyOptions | undefined {
  const proxies = Object.entries(buildArgs).flatMap(([key, value]) => {
    const [, name] = /^(http|https|ftp|no|all)_proxy$/i.exec(key) ?? [];
    return name === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  return proxies.length > 0 ? Object.fromEntries(proxies) : undefined;
}

/** Labels of the client, and the platform that it asked for. */
function finishImage(image: Image, target: Platform, { labels, targetPlatform }: ConvertOptions): Image {
  for (const [key, value] of Object.entries(labels)) image.config.labels.set(key, value);
  const asked = targetPlatform ? askedPlatform(image, target) : imagePlatform(image);
  return { ...image, ...platformFields(asked.os ? normalizePlatform(asked) : { ...asked, os: 'linux' }) };
}

/** Details that the client left open stay as the base has them. */
function askedPlatform(image: Image, target: Platform): Platform {
  const own = imagePlatform(image);
  const same = target.os === image.os && target.architecture === image.architecture;
  return same ? { ...own, ...target } : target;
}
