import type { Ranges } from '../../convert/options.js';
import type { Rule } from '../rule.js';

const isLower = (word: string): boolean => word === word.toLowerCase();
const isUpper = (word: string): boolean => word === word.toUpperCase();

export const consistentInstructionCasing: Rule = {
  name: 'ConsistentInstructionCasing',
  description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
  page: 'consistent-instruction-casing',
  on: {
    dockerfile({ stages }, warn) {
      const written: readonly { readonly keyword: string; readonly ranges: Ranges }[] = stages.flatMap(
        (stage) => [stage, ...stage.instructions],
      );
      const lower = written.filter(({ keyword }) => isLower(keyword)).length;
      const upper = written.filter(({ keyword }) => !isLower(keyword) && isUpper(keyword)).length;
      const majority = lower > upper ? 'lowercase' : 'uppercase';
      for (const { keyword, ranges } of written) {
        if (lower > upper ? isLower(keyword) : isUpper(keyword)) continue;
        warn(ranges, `Command '${keyword}' should match the case of the command majority (${majority})`);
      }
    },
  },
  examples: [
    {
      dockerfile: 'From alpine\nRUN make\nuser 1000',
      warnings: [
        "1: Command 'From' should match the case of the command majority (uppercase)",
        "3: Command 'user' should match the case of the command majority (uppercase)",
      ],
    },
    {
      dockerfile: 'from alpine\nrun make\nUSER 1000',
      warnings: ["3: Command 'USER' should match the case of the command majority (lowercase)"],
    },
    { dockerfile: 'FROM alpine\nRUN make\nUSER 1000', warnings: [] },
    { dockerfile: 'from alpine\nrun make\nuser 1000', warnings: [] },
  ],
};
