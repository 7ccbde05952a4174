import { goQuote } from '../../../../../core/util/go-quote.js';
import type { Rule } from '../rule.js';

export const duplicateStageName: Rule = {
  name: 'DuplicateStageName',
  description: 'Stage names should be unique',
  page: 'duplicate-stage-name',
  on: {
    dockerfile({ stages }, warn) {
      const seen = new Set<string>();
      for (const { name, ranges } of stages) {
        if (name === '') continue;
        if (seen.has(name)) {
          warn(ranges, `Duplicate stage name ${goQuote(name)}, stage names should be unique`);
        }
        seen.add(name);
      }
    },
  },
  examples: [
    {
      dockerfile: 'FROM debian AS builder\nRUN make\nFROM golang AS builder',
      warnings: ['3: Duplicate stage name "builder", stage names should be unique'],
    },
    { dockerfile: 'FROM debian AS deb-builder\nRUN make\nFROM golang AS go-builder', warnings: [] },
  ],
};
