import { unsupported } from '../../../../core/contracts/errors.js';
import { parseGoBool } from '../../../../core/util/go-bool.js';
import type { ArgDeclaration, InstructionOf } from '../instructions/types.js';
import { buildArg } from './args.js';
import { record } from './history.js';
import type { StageBuild } from './stage-build.js';
import { type Converter, fill, type StepContext } from './step.js';

/** Arguments that steer the build and are not seen by its steps. */
export const hiddenArgs: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
]);

export const convertArg: Converter<'arg'> = (stage, instruction, context) => {
  const declared = instruction.args.map((declaration) => declare(stage, declaration, instruction, context));
  const text = declared.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(' ');
  record(stage, `ARG ${text}`, context.options.epoch);
};

/** The daemon scans the result alone. */
function refuseMoreScans(key: string, value: string | undefined, { options }: StepContext): void {
  if (!value || parseGoBool(value) === false || !options.attestations?.sbom) return;
  throw unsupported(
    'dockerfile.unsupported',
    `${key}=${value} is not supported yet: only the result is scanned`,
  );
}

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
  if (hiddenArgs.has(key)) refuseMoreScans(key, value, context);
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
