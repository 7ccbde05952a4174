/** The FROM lines: base names and platforms with arguments filled in, and how many steps each stage will show. */
import { type Platform, parsePlatform } from '../../../../core/util/platform.js';
import { ExpandError } from '../expand/expand-error.js';
import { type Expanded, expand, type LexOptions } from '../expand/shell-lex.js';
import { suggestion } from '../instructions/flags.js';
import type { Dockerfile, Stage } from '../instructions/types.js';
import { locating, syntaxError } from '../located.js';
import type { Env, GlobalArgs } from './args.js';
import { namedContext } from './named.js';
import type { ConvertOptions } from './options.js';
import { StageBuild } from './stage-build.js';
import { StageList } from './stage-list.js';

export function planStages(
  { stages: sources }: Dockerfile,
  args: GlobalArgs,
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
  args: GlobalArgs,
  targetPlatform: Platform,
  options: ConvertOptions,
  lex: LexOptions,
): void {
  const { lint } = options;
  const word = (text: string): Expanded => expandInFrom(text, source, args, options, lex);
  const base = word(source.base);
  if (base.text === '') throw syntaxError(`base name (${source.base}) should not be blank`);
  const notes = stages.baseNamed(base.text)?.outline ?? args.notes;
  const stage = new StageBuild(source, { implicit: false, notes });
  stage.baseName = base.text;
  const filled = source.platform ? word(source.platform) : undefined;
  if (filled) {
    lint.tell('fromPlatform', { stage: source, filled, target: args.env.get('TARGETPLATFORM') });
    stage.platform = stagePlatform(source.platform, filled, args.env);
  }
  const context = namedContext(options, source.name, stage, stage.platform ?? targetPlatform);
  stages.add(stage);
  if (context) {
    stage.namedContext = context;
    stage.base = undefined;
    return;
  }
  stage.outline.use([...base.matched, ...(filled?.matched ?? [])]);
  stage.displayName = source.name || `stage-${index}`;
  stage.stepCount = countSteps(stage);
  stage.ignoreCache = options.isNoCache(source.name);
}

function expandInFrom(
  text: string,
  { ranges }: Stage,
  { env, notes }: GlobalArgs,
  { lint }: ConvertOptions,
  lex: LexOptions,
): Expanded {
  const known = (): Iterable<string> => new Set([...notes.declared, ...env.keys()]);
  try {
    const expanded = expand(text, env, lex);
    lint.tell('fromVariables', { unset: expanded.unmatched, known, ranges });
    return expanded;
  } catch (error) {
    if (error instanceof ExpandError) lint.tell('fromVariables', { unset: error.unmatched, known, ranges });
    throw error;
  }
}

function stagePlatform(written: string, { text, unmatched }: Expanded, env: Env): Platform {
  const hint = [...unmatched].map((name) => suggestion(name, env.keys())).find((found) => found !== '') ?? '';
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
