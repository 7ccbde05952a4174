import type { Instruction, InstructionOf } from '../instructions/types.js';
import { locating } from '../located.js';
import { convertArg } from './arg.js';
import { convertCmd, convertEntrypoint, convertHealthcheck, convertShell } from './command-line.js';
import { convertAdd, convertCopy } from './copy.js';
import { convertEnv } from './env.js';
import { convertExpose } from './expose.js';
import { convertLabel } from './label.js';
import { convertMaintainer, convertOnBuild } from './metadata.js';
import { convertRun } from './run.js';
import type { Command, StageBuild } from './stage-build.js';
import type { Converter, StepContext } from './step.js';
import { convertStopSignal } from './stopsignal.js';
import { convertUser } from './user.js';
import { convertVolume } from './volume.js';
import { convertWorkdir } from './workdir.js';

const converters: { readonly [Kind in Instruction['kind']]: Converter<Kind> } = {
  add: convertAdd,
  arg: convertArg,
  cmd: convertCmd,
  copy: convertCopy,
  entrypoint: convertEntrypoint,
  env: convertEnv,
  expose: convertExpose,
  healthcheck: convertHealthcheck,
  label: convertLabel,
  maintainer: convertMaintainer,
  onbuild: convertOnBuild,
  run: convertRun,
  shell: convertShell,
  stopsignal: convertStopSignal,
  user: convertUser,
  volume: convertVolume,
  workdir: convertWorkdir,
};

export const dispatch = (stage: StageBuild, command: Command, context: StepContext): void => {
  const { instruction } = command;
  const earlier = (): readonly Instruction[] =>
    stage.commands.slice(0, stage.commands.indexOf(command)).map((before) => before.instruction);
  context.options.lint.tell('instruction', { instruction, earlier, shell: stage.image.config.shell });
  locating(instruction.ranges, () => convert(stage, instruction, context, command));
};

function convert<Kind extends Instruction['kind']>(
  stage: StageBuild,
  instruction: InstructionOf<Kind>,
  context: StepContext,
  command: Command,
): void {
  const converter = converters[instruction.kind as Kind] as Converter<Kind>;
  converter(stage, instruction, context, command);
}
