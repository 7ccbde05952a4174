import { mkdir } from '../../../../client/llb/index.js';
import { record } from './history.js';
import { displayCommand, stepName } from './names.js';
import { absolute } from './paths.js';
import type { StageBuild } from './stage-build.js';
import { type Converter, fill, locations } from './step.js';

/** Makes the directory too, owned by the user of the stage. */
export const convertWorkdir: Converter<'workdir'> = (stage, instruction, context, { onBuild }) => {
  const { options, lex } = context;
  const path = fill(stage, context, instruction, instruction.path);
  options.lint.tell('workdir', { path, settled: stage.workdirSet, ranges: instruction.ranges });
  stage.workdirSet = true;
  const dir = setWorkdir(stage, path);
  if (dir === '/') return record(stage, `WORKDIR ${dir}`, options.epoch);
  const { env, platform } = stage;
  const action = mkdir(dir, 0o755, {
    makeParents: true,
    owner: stage.image.config.user || undefined,
    created: options.epoch,
  });
  stage.state = stage.state.file(action, {
    name: stepName(stage, displayCommand(instruction.code, env, lex), {
      multiPlatform: options.multiPlatform,
      platform,
      env,
      onBuild,
    }),
    locations: locations(context, instruction),
    platform,
  });
  record(stage, `WORKDIR ${dir}`, options.epoch, { layer: true, marked: false });
};

/** A relative directory starts from the present one. */
export function setWorkdir(stage: StageBuild, path: string): string {
  const { config } = stage.image;
  config.workingDir = absolute(config.workingDir || '/', path);
  stage.state = stage.state.dir(config.workingDir);
  return config.workingDir;
}
