import { record } from './history.js';
import { fillPairs } from './key-values.js';
import type { Converter } from './step.js';

export const convertEnv: Converter<'env'> = (stage, instruction, context) => {
  const filled = fillPairs(stage, instruction.variables, instruction, context);
  stage.state = stage.state.envs(filled);
  for (const [key, value] of filled) stage.image.config.env.set(key, value);
  const text = filled.map(([key, value]) => ` ${key}=${value}`).join('');
  record(stage, `ENV${text}`, context.options.epoch);
};
