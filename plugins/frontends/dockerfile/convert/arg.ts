import type { ArgDeclaration, InstructionOf } from '../instructions/types.js';
import { buildArg } from './args.js';
import { record } from './history.js';
import { hiddenArgs } from './scan-targets.js';
import type { StageBuild } from './stage-build.js';
import { type Converter, fill, type StepContext } from './step.js';

export const convertArg: Converter<'arg'> = (stage, instruction, context) => {
  const declared = instruction.args.map((declaration) => declare(stage, declaration, instruction, context));
  const text = declared.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(' ');
  record(stage, `ARG ${text}`, context.options.epoch);
};

function declare(
  stage: StageBuild,
  declaration: ArgDeclaration,
  instruction: InstructionOf<'arg'>,
  context: StepContext,
): ArgDeclaration {
  const { key } = declaration;
  context.options.lint.tell('keyValue', { instruction, key, spaced: false });
  const { value, inherited } = argValue(stage, declaration, instruction, context);
  const declared = { ...declaration, value };
  if (value !== undefined && !hiddenArgs.has(key)) stage.state = stage.state.env(key, value);
  // One that is declared above the first FROM stands there in the outline.
  if (!inherited) stage.outline.declare(declared, instruction.ranges);
  stage.outline.use([key]);
  stage.buildArgs.push(declared);
  return declared;
}

interface ArgValue {
  readonly value: string | undefined;
  readonly inherited: boolean;
}

/** What the client gave, else the default, else the argument of that name above the first FROM. */
function argValue(
  stage: StageBuild,
  { key, value }: ArgDeclaration,
  instruction: InstructionOf<'arg'>,
  context: StepContext,
): ArgValue {
  const given = buildArg(context.options.buildArgs, key);
  if (given !== undefined) return { value: given, inherited: false };
  if (value !== undefined) return { value: fill(stage, context, instruction, value), inherited: false };
  const global = context.globalArgs.get(key);
  return { value: global, inherited: global !== undefined };
}
