import { syntaxError } from '../located.js';
import { record } from './history.js';
import { type Converter, fill } from './step.js';

export const convertVolume: Converter<'volume'> = (stage, { volumes }, context) => {
  const filled = volumes.map((volume) => fill(stage, context, volume));
  if (filled.includes('')) throw syntaxError('VOLUME specified can not be an empty string');
  for (const volume of filled) stage.image.config.volumes.add(volume);
  record(stage, `VOLUME [${filled.join(' ')}]`, context.options.epoch);
};
