import type { Rule } from '../rule.js';

export const noEmptyContinuation: Rule = {
  name: 'NoEmptyContinuation',
  description: 'Empty continuation lines will become errors in a future release',
  page: 'no-empty-continuation',
  on: {
    emptyContinuation: ({ ranges }, warn) => warn(ranges, 'Empty continuation line'),
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nEXPOSE \\\n\n80',
      warnings: ['4: Empty continuation line'],
    },
    { dockerfile: 'FROM alpine\nEXPOSE \\\n# comments are all right\n80', warnings: [] },
  ],
};
