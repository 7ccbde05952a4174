import type { Instruction } from '../../instructions/types.js';
import type { Rule } from '../rule.js';

const single: ReadonlySet<Instruction['kind']> = new Set(['cmd', 'entrypoint', 'healthcheck']);

export const multipleInstructionsDisallowed: Rule = {
  name: 'MultipleInstructionsDisallowed',
  description: 'Multiple instructions of the same type should not be used in the same stage',
  page: 'multiple-instructions-disallowed',
  on: {
    instruction({ instruction: { kind, keyword }, earlier }, warn) {
      if (!single.has(kind)) return;
      const ignored = earlier().findLast((instruction) => instruction.kind === kind);
      if (!ignored) return;
      // It is the earlier one that goes for nothing.
      warn(
        ignored.ranges,
        `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`,
      );
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nENTRYPOINT ["echo", "1"]\nENTRYPOINT ["echo", "2"]',
      warnings: [
        '2: Multiple ENTRYPOINT instructions should not be used in the same stage because only the last one will be used',
      ],
    },
    { dockerfile: 'FROM alpine AS a\nCMD ["echo", "1"]\nFROM a\nCMD ["echo", "2"]', warnings: [] },
  ],
};
