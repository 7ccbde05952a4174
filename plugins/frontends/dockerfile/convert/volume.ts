import { syntaxError } from '../located.js';
import { record } from './history.js';
import { type Converter, fill } from './step.js';

export const convertVolume: Converter<'volume'> = (stage, instruction, context) => {
  const filled = instruction.volumes.map((volume) => fill(stage, context, instruction, volume));
  if (filled.includes('')) throw syntaxError('VOLUME specified can not be an empty string');
  for (const volume of filled) stage.image.config.volumes.add(volume);
  record(stage, `VOLUME [${filled.join(' ')}]`, context.options.epoch);
};
