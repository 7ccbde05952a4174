/** Which stages instructions take files from; new ones come up for images and contexts that they name. */

import { emptyEnvironment, expand, type LexOptions } from '../expand/shell-lex.js';
import type { Instruction } from '../instructions/types.js';
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
    const sources = locating(instruction.ranges, () => sourcesOf(instruction, stages, lex));
    for (const source of sources) {
      stage.deps.set(source, instruction);
      if (source.implicit) stages.add(source);
    }
    return { instruction, sources, onBuild };
  });
}

function sourcesOf(instruction: Instruction, stages: StageList, lex: LexOptions): StageBuild[] {
  if (instruction.kind === 'run') {
    return instruction.mountSources.map((from) =>
      from === undefined ? (stages.byName('scratch') ?? stages.scratch) : byNameOrImplicit(from, stages, []),
    );
  }
  if (instruction.kind !== 'copy' || instruction.from === undefined) return [];
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
  const visit = (stage: StageBuild, path: ReadonlySet<StageBuild>, root: StageBuild): void => {
    if (done.has(stage)) return;
    const here = new Set([...path, stage]);
    for (const [dep, instruction] of stage.deps) {
      if (here.has(dep)) {
        const problem = syntaxError(`circular dependency detected on stage: ${root.displayName}`);
        throw locate(problem, instruction.ranges);
      }
      visit(dep, here, root);
    }
    done.add(stage);
  };
  for (const stage of stages.all) visit(stage, new Set(), stage);
}
