import { record } from './history.js';
import { fillPairs } from './key-values.js';
import type { Converter } from './step.js';

export const convertLabel: Converter<'label'> = (stage, instruction, context) => {
  const filled = fillPairs(stage, instruction.labels, instruction, context);
  for (const [key, value] of filled) stage.image.config.labels.set(key, value);
  record(stage, `LABEL${filled.map(([key, value]) => ` ${key}=${value}`).join('')}`, context.options.epoch);
};
