import type { ArgDeclaration } from '../instructions/types.js';
import { buildArg } from './args.js';
import { record } from './history.js';
import type { StageBuild } from './stage-build.js';
import { type Converter, fill, type StepContext } from './step.js';

/** Arguments that steer the build and are not seen by its steps. */
const hidden = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

export const convertArg: Converter<'arg'> = (stage, { args }, context) => {
  const declared = args.map((declaration) => declare(stage, declaration, context));
  const text = declared.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(' ');
  record(stage, `ARG ${text}`, context.options.epoch);
};

function declare(stage: StageBuild, { key, value }: ArgDeclaration, context: StepContext): ArgDeclaration {
  const declared = { key, value: argValue(stage, key, value, context) };
  if (declared.value !== undefined && !hidden.has(key)) stage.state = stage.state.env(key, declared.value);
  stage.buildArgs.push(declared);
  return declared;
}

/** What the client gave, else the default, else the argument of that name above the first FROM. */
function argValue(
  stage: StageBuild,
  key: string,
  value: string | undefined,
  context: StepContext,
): string | undefined {
  const given = buildArg(context.options.buildArgs, key);
  if (given !== undefined) return given;
  return value === undefined ? context.globalArgs.get(key) : fill(stage, context, value);
}
