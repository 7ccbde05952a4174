import type { Rule } from '../rule.js';

export const jsonArgsRecommended: Rule = {
  name: 'JSONArgsRecommended',
  description:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  page: 'json-args-recommended',
  on: {
    instruction({ instruction, shell }, warn) {
      const { kind, keyword, ranges } = instruction;
      // Whoever sets a shell wants it.
      if ((kind !== 'cmd' && kind !== 'entrypoint') || !instruction.command.shell || shell.length > 0) return;
      warn(
        ranges,
        `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`,
      );
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nENTRYPOINT my-program start',
      warnings: [
        '2: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals',
      ],
    },
    { dockerfile: 'FROM alpine\nENTRYPOINT ["my-program", "start"]', warnings: [] },
    { dockerfile: 'FROM alpine\nSHELL ["/bin/bash", "-c"]\nCMD my-program start', warnings: [] },
  ],
};
