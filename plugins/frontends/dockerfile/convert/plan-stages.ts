/** The FROM lines: base names and platforms with arguments filled in, and how many steps each stage will show. */
import { type Platform, parsePlatform } from '../../../../core/util/platform.js';
import { expand, type LexOptions } from '../expand/shell-lex.js';
import { suggestion } from '../instructions/flags.js';
import type { Dockerfile, Stage } from '../instructions/types.js';
import { locating, syntaxError } from '../located.js';
import type { Env } from './args.js';
import { namedContext } from './named.js';
import type { ConvertOptions } from './options.js';
import { StageBuild } from './stage-build.js';
import { StageList } from './stage-list.js';

export function planStages(
  { stages: sources }: Dockerfile,
  args: Env,
  targetPlatform: Platform,
  options: ConvertOptions,
  lex: LexOptions,
): StageList {
  const stages = new StageList();
  for (const [index, source] of sources.entries()) {
    locating(source.ranges, () => planStage(source, index, stages, args, targetPlatform, options, lex));
  }
  return stages;
}

function planStage(
  source: Stage,
  index: number,
  stages: StageList,
  args: Env,
  targetPlatform: Platform,
  options: ConvertOptions,
  lex: LexOptions,
): void {
  const stage = new StageBuild(source, { implicit: false });
  stage.baseName = expand(source.base, args, lex).text;
  if (stage.baseName === '') throw syntaxError(`base name (${source.base}) should not be blank`);
  stage.platform = source.platform ? stagePlatform(source.platform, args, lex) : undefined;
  const context = namedContext(options, source.name, stage, stage.platform ?? targetPlatform);
  stages.add(stage);
  if (context) {
    stage.namedContext = context;
    stage.base = undefined;
    return;
  }
  stage.displayName = source.name || `stage-${index}`;
  stage.stepCount = countSteps(stage);
  stage.ignoreCache = options.isNoCache(source.name);
}

function stagePlatform(written: string, args: Env, lex: LexOptions): Platform {
  const { text, unmatched } = expand(written, args, lex);
  const hint =
    [...unmatched].map((name) => suggestion(name, args.keys())).find((found) => found !== '') ?? '';
  if (text === '') throw syntaxError(`empty platform value from expression ${written}${hint}`);
  try {
    return parsePlatform(text);
  } catch (error) {
    throw syntaxError(`failed to parse platform ${written}: ${(error as Error).message}${hint}`);
  }
}

const counted: ReadonlySet<string> = new Set(['add', 'copy', 'run', 'workdir']);

/** The base counts as a step unless it is empty or a stage. */
function countSteps(stage: StageBuild): number {
  const own = stage.source.instructions.filter(({ kind }) => counted.has(kind)).length;
  return own + (stage.baseName !== 'scratch' && stage.base === undefined ? 1 : 0);
}
