import type { Rule } from '../rule.js';

export const legacyKeyValueFormat: Rule = {
  name: 'LegacyKeyValueFormat',
  description: 'Legacy key/value format with whitespace separator should not be used',
  page: 'legacy-key-value-format',
  on: {
    keyValue({ instruction: { keyword, ranges }, spaced }, warn) {
      if (!spaced) return;
      warn(ranges, `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nENV DEPS curl git make',
      warnings: ['2: "ENV key=value" should be used instead of legacy "ENV key value" format'],
    },
    { dockerfile: 'FROM alpine\nENV DEPS="curl git make"', warnings: [] },
  ],
};
