/** Which stages instructions take files from; new ones come up for images and contexts that they name. */

import { emptyEnvironment, expand, type LexOptions } from '../expand/shell-lex.js';
import type { Copy, Instruction, Run } from '../instructions/types.js';
import { locate, locating, syntaxError } from '../located.js';
import type { Ranges } from './options.js';
import { type Command, implicitStage, type StageBuild } from './stage-build.js';
import type { StageList } from './stage-list.js';

export function planCommands(
  stage: StageBuild,
  instructions: readonly Instruction[],
  stages: StageList,
  lex: LexOptions,
  onBuild = false,
): Command[] {
  return instructions.map((instruction) => {
    if (!takesFiles(instruction)) return { instruction, sources: [], onBuild };
    const sources = locating(instruction.ranges, () => sourcesOf(instruction, stages, lex));
    for (const source of sources) {
      stage.deps.set(source, instruction);
      if (source.implicit) stages.add(source);
    }
    return { instruction, sources, onBuild };
  });
}

const takesFiles = (instruction: Instruction): instruction is Run | Copy =>
  instruction.kind === 'run' ? instruction.mountSources.length > 0 : instruction.kind === 'copy';

function sourcesOf(instruction: Run | Copy, stages: StageList, lex: LexOptions): StageBuild[] {
  if (instruction.kind === 'run') {
    return instruction.mountSources.map((from) =>
      from === undefined ? (stages.byName('scratch') ?? stages.scratch) : byNameOrImplicit(from, stages, []),
    );
  }
  if (instruction.from === undefined) return [];
  const { from, ranges } = instruction;
  if (expand(from, emptyEnvironment, lex).text !== from) {
    throw syntaxError(
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    );
  }
  return [/^[+-]?\d+$/.test(from) ? stages.byIndex(Number(from)) : byNameOrImplicit(from, stages, ranges)];
}

const byNameOrImplicit = (name: string, stages: StageList, ranges: Ranges): StageBuild =>
  stages.byName(name) ?? implicitStage(name, ranges);

/** Stages that copy from each other can never be built. */
export function refuseCycles(stages: StageList): void {
  const done = new Set<StageBuild>();
  const path = new Set<StageBuild>();
  const visit = (stage: StageBuild, root: StageBuild): void => {
    if (done.has(stage)) return;
    path.add(stage);
    for (const [dep, instruction] of stage.deps) {
      if (path.has(dep)) {
        const problem = syntaxError(`circular dependency detected on stage: ${root.displayName}`);
        throw locate(problem, instruction.ranges);
      }
      visit(dep, root);
    }
    path.delete(stage);
    done.add(stage);
  };
  for (const stage of stages.all) visit(stage, stage);
}
