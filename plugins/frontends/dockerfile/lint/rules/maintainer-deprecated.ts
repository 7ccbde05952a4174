import type { Rule } from '../rule.js';

export const maintainerDeprecated: Rule = {
  name: 'MaintainerDeprecated',
  description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  page: 'maintainer-deprecated',
  on: {
    node({ keyword, ranges }, warn) {
      if (keyword.toLowerCase() !== 'maintainer') return;
      warn(ranges, 'Maintainer instruction is deprecated in favor of using label');
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nMAINTAINER moby@example.com',
      warnings: ['2: Maintainer instruction is deprecated in favor of using label'],
    },
    { dockerfile: 'FROM alpine\nLABEL org.opencontainers.image.authors="moby@example.com"', warnings: [] },
  ],
};
