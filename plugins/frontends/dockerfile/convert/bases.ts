/** What stages start from: the empty tree, a named context, or an image with its config. */
import { image as imageState, scratch } from '../../../../client/llb/index.js';
import { BuildError } from '../../../../core/contracts/errors.js';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../../core/util/image-reference.js';
import { formatPlatform, type Platform } from '../../../../core/util/platform.js';
import { emptyImage, imagePlatform } from '../image-config/empty.js';
import { cloneImage, type Image } from '../image-config/image.js';
import { parseImage } from '../image-config/json.js';
import { suggestion } from '../instructions/flags.js';
import { locate, syntaxError } from '../located.js';
import { namedContext } from './named.js';
import { stepName } from './names.js';
import type { ConvertOptions, NamedContext, Ranges } from './options.js';
import type { StageBuild } from './stage-build.js';
import { reachable, type StageList } from './stage-list.js';

export interface BaseContext {
  readonly options: ConvertOptions;
  readonly stages: StageList;
  readonly targetPlatform: Platform;
}

/** Resolves every base that `target` needs and that is not resolved yet, all at once. */
export async function resolveBases(
  target: StageBuild,
  context: BaseContext,
  signal: AbortSignal,
): Promise<void> {
  const needed = context.options.allStages ? new Set(context.stages.all) : reachable(target);
  const open = context.stages.all.filter((stage) => !stage.base && !stage.dispatched && !stage.resolved);
  await Promise.all(
    open.map(async (stage) => {
      stage.resolved = needed.has(stage);
      try {
        await resolveBase(stage, context, signal);
      } catch (error) {
        throw locate(error, placeOf(stage, context.stages));
      } finally {
        if (stage.implicit) stage.dispatched = true;
      }
    }),
  );
}

/** An image that a mount names has no place of its own. */
const placeOf = (stage: StageBuild, { all }: StageList): Ranges =>
  stage.ranges.length > 0
    ? stage.ranges
    : (all.map(({ deps }) => deps.get(stage)).find((instruction) => instruction)?.ranges ?? []);

async function resolveBase(stage: StageBuild, context: BaseContext, signal: AbortSignal): Promise<void> {
  const { options, targetPlatform } = context;
  if (stage.baseName === 'scratch' && !stage.namedContext) {
    stage.state = scratch();
    stage.image = emptyImage(targetPlatform);
    stage.platform = targetPlatform;
    return;
  }
  const reference = parseBase(stage);
  if (!stage.resolved) return;
  if (stage.namedContext) return loadStageContext(stage, stage.namedContext, signal);
  const platform = stage.platform ?? targetPlatform;
  const full = formatImageReference(withDefaultTag(reference));
  const context_ = namedContext(options, full, stage, platform);
  if (context_) return loadBaseContext(stage, context_, platform, signal);
  await pull(stage, full, platform, context, signal);
}

function parseBase({ baseName, source }: StageBuild): ImageReference {
  try {
    return parseImageReference(baseName);
  } catch (error) {
    const [, variable] = /\$\{?(\w+)/.exec(source.base) ?? [];
    throw syntaxError(
      `failed to parse stage name "${baseName}": ${(error as Error).message}`,
      variable &&
        `does ${variable} have a value? Its ARG may give a default, the client build-arg:${variable}`,
    );
  }
}

/** A context in place of a whole stage: its instructions do not count. */
async function loadStageContext(stage: StageBuild, named: NamedContext, signal: AbortSignal): Promise<void> {
  const { state, image } = await named.load(signal);
  stage.dispatched = true;
  stage.state = state;
  if (!image) return;
  stage.image = unbuilt(image);
  if (image.os && image.architecture) stage.platform = imagePlatform(image);
}

/** A context in place of the base image. */
async function loadBaseContext(
  stage: StageBuild,
  named: NamedContext,
  platform: Platform,
  signal: AbortSignal,
): Promise<void> {
  const { state, image = emptyImage(platform) } = await named.load(signal);
  startFrom(stage, image);
  stage.state = state.platform(platform);
  stage.platform = platform;
}

async function pull(
  stage: StageBuild,
  ref: string,
  wanted: Platform,
  { options, stages }: BaseContext,
  signal: AbortSignal,
): Promise<void> {
  const written = stage.baseName;
  const scope = options.multiPlatform ? `${formatPlatform(wanted)} internal` : 'internal';
  const resolved = await options.images
    .resolve(
      ref,
      { platform: wanted, resolveMode: options.resolveMode, logName: `[${scope}] load metadata for ${ref}` },
      signal,
    )
    .catch((error: unknown) => {
      const { code, grpcCode, message, details, hint } = locate(error, stage.ranges);
      const suggested = suggestion(written, [...stages.names(), ...commonImages]);
      throw new BuildError(code, `${written}: ${message}${suggested}`, {
        grpcCode,
        details,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    });
  const image = parseImage(resolved.config);
  const platform =
    stage.platform || options.targetPlatform ? wanted : platformOf(image, wanted, options.buildPlatform);
  startFrom(stage, image);
  stage.baseName = formatImageReference({ ...parseImageReference(resolved.ref), digest: resolved.digest });
  stage.platform = platform;
  if (hasNoLayers(image)) {
    stage.state = scratch();
    return;
  }
  stage.state = baseState(stage, platform, options);
  const { ranges } = stage;
  options.lint.tell('baseImage', { name: written, wanted: platform, found: imagePlatform(image), ranges });
}

const baseState = (stage: StageBuild, platform: Platform, options: ConvertOptions): StageBuild['state'] =>
  imageState(stage.baseName, {
    platform,
    resolveMode: options.resolveMode,
    description: { 'com.docker.dockerfile.v1.command': stage.source.code },
    name: stepName(stage, `FROM ${stage.baseName}`, {
      multiPlatform: options.multiPlatform,
      platform,
      env: new Map(),
    }),
    locations: options.sourceMap ? [{ map: options.sourceMap, ranges: stage.ranges }] : [],
  });

function startFrom(stage: StageBuild, image: Image): void {
  stage.baseImage = image;
  stage.image = unbuilt(image);
}

const unbuilt = (image: Image): Image => ({ ...cloneImage(image), created: undefined });

/** Images of schema 1 have no diff ids, so their history decides. */
const hasNoLayers = ({ rootfs, history }: Image): boolean =>
  (rootfs.diffIds ?? []).length === 0 && history.every(({ emptyLayer }) => emptyLayer);

/** Without a wish of the client, an image for the build machine's platform counts as just that. */
function platformOf(image: Image, wanted: Platform, build: Platform): Platform {
  const isFor = ({ os, architecture }: Platform): boolean =>
    os === image.os && architecture === image.architecture;
  return !isFor(wanted) && isFor(build) ? build : wanted;
}

/** For suggestions when a base cannot be resolved. */
const commonImages = ['alpine', 'busybox', 'centos', 'debian', 'golang', 'ubuntu', 'fedora'].flatMap(
  (name) => [name, `${name}:latest`],
);
