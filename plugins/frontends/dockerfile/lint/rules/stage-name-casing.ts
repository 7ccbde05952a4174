import type { Rule } from '../rule.js';

export const stageNameCasing: Rule = {
  name: 'StageNameCasing',
  description: 'Stage names should be lowercase',
  page: 'stage-name-casing',
  on: {
    node({ keyword, args, ranges }, warn) {
      const [, , name = ''] = args;
      if (keyword.toLowerCase() !== 'from' || args.length !== 3 || name === name.toLowerCase()) return;
      warn(ranges, `Stage name '${name}' should be lowercase`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine AS BuilderBase',
      warnings: ["1: Stage name 'BuilderBase' should be lowercase"],
    },
    { dockerfile: 'FROM alpine AS builder-base', warnings: [] },
  ],
};
