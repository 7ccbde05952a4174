/** ONBUILD triggers of a base run at the start of the stage that is built on it. */

import type { LexOptions } from '../expand/shell-lex.js';
import { parseInstruction } from '../instructions/parse-instruction.js';
import type { Instruction } from '../instructions/types.js';
import { locate, syntaxError } from '../located.js';
import { parse } from '../parse/parse.js';
import { planCommands } from './commands.js';
import type { StageBuild } from './stage-build.js';
import type { StageList } from './stage-list.js';

/** Puts the triggers in front of the stage's own instructions; true if they need further stages or images. */
export function takeTriggers(stage: StageBuild, stages: StageList, lex: LexOptions): boolean {
  const triggers = [...stage.image.config.onBuild, ...triggersOfBase(stage)];
  if (triggers.length === 0) return false;
  stage.image.config.onBuild = [];
  const instructions = triggers.map((trigger) => parseTrigger(trigger, stage));
  const commands = planCommands(stage, instructions, stages, lex, true);
  stage.commands = [...commands, ...stage.commands];
  stage.stepCount += commands.length;
  return commands.some(({ sources }) => sources.length > 0);
}

function triggersOfBase(stage: StageBuild): string[] {
  if (!stage.base || stage.triggersTaken) return [];
  stage.triggersTaken = true;
  return stage.base.commands.flatMap(({ instruction }) =>
    instruction.kind === 'onbuild' ? [instruction.trigger] : [],
  );
}

/** Errors in a trigger are reported at the FROM that brought it in. */
function parseTrigger(trigger: string, stage: StageBuild): Instruction {
  try {
    const [node, ...others] = parse(trigger).nodes;
    if (!node || others.length > 0) throw syntaxError('onbuild trigger should be a single expression');
    return parseInstruction({ ...node, ranges: stage.ranges });
  } catch (error) {
    throw locate(syntaxError((error as Error).message), stage.ranges);
  }
}
