import type { Rule } from '../rule.js';

export const invalidDefinitionDescription: Rule = {
  name: 'InvalidDefinitionDescription',
  description:
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
  page: 'invalid-definition-description',
  experimental: true,
  on: {
    definition({ keyword, names, comments, ranges }, warn) {
      const [first] = names;
      const comment = comments.at(-1);
      if (first === undefined || comment === undefined) return;
      if (names.includes(comment.split(' ', 1)[0]!)) return;
      const example = names.length > 1 ? '<arg_key>' : first;
      warn(ranges, `Comment for ${keyword} should follow the format: \`# ${example} <description>\``);
    },
  },
  examples: [
    {
      dockerfile: '# check=experimental=all\n# bar the first\nARG foo=1\n# another\nFROM alpine AS base',
      warnings: [
        '3: Comment for ARG should follow the format: `# foo <description>`',
        '5: Comment for FROM should follow the format: `# base <description>`',
      ],
    },
    {
      dockerfile:
        '# check=experimental=all\n# not about foo\n#\nARG foo=1\n# base has tools\nFROM alpine AS base',
      warnings: [],
    },
  ],
};
