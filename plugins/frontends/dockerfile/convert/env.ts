import { record } from './history.js';
import { fillPairs } from './key-values.js';
import type { Converter } from './step.js';

export const convertEnv: Converter<'env'> = (stage, instruction, context) => {
  const filled = fillPairs(stage, instruction.variables, instruction, context);
  stage.state = stage.state.envs(filled);
  for (const [key, value] of filled) setImageEnv(stage.image.config.env, key, value);
  const text = filled.map(([key, value]) => ` ${key}=${value}`).join('');
  record(stage, `ENV${text}`, context.options.epoch);
};

/** In an image config a variable keeps the place where it was first set. */
function setImageEnv(env: string[], key: string, value: string): void {
  const known = env.findIndex((entry) => entry.split('=', 1)[0] === key);
  if (known >= 0) env[known] = `${key}=${value}`;
  else env.push(`${key}=${value}`);
}
