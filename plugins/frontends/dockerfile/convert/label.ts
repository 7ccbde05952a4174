import { record } from './history.js';
import { type Converter, fill } from './step.js';

export const convertLabel: Converter<'label'> = (stage, { labels }, context) => {
  const filled = labels.map(
    ({ key, value }) => [fill(stage, context, key), fill(stage, context, value)] as const,
  );
  for (const [key, value] of filled) stage.image.config.labels.set(key, value);
  record(stage, `LABEL${filled.map(([key, value]) => ` ${key}=${value}`).join('')}`, context.options.epoch);
};
