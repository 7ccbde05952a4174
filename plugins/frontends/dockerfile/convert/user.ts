import { record } from './history.js';
import type { StageBuild } from './stage-build.js';
import { type Converter, fill } from './step.js';

export const convertUser: Converter<'user'> = (stage, instruction, context) => {
  const filled = fill(stage, context, instruction, instruction.user);
  setUser(stage, filled);
  record(stage, `USER ${filled}`, context.options.epoch);
};

export function setUser(stage: StageBuild, user: string): void {
  stage.state = stage.state.user(user);
  stage.image.config.user = user;
}
