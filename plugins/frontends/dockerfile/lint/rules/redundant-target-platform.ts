import type { Rule } from '../rule.js';

export const redundantTargetPlatform: Rule = {
  name: 'RedundantTargetPlatform',
  description:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  page: 'redundant-target-platform',
  on: {
    fromPlatform({ stage, filled: { text, matched, unmatched }, target }, warn) {
      // Nothing but the variable, neither in company nor changed.
      if (matched.size !== 1 || unmatched.size > 0 || !matched.has('TARGETPLATFORM') || text !== target)
        return;
      warn(
        stage.ranges,
        `Setting platform to predefined ${stage.platform} in FROM is redundant as this is the default behavior`,
      );
    },
  },
  examples: [
    {
      dockerfile: 'FROM --platform=$TARGETPLATFORM alpine',
      warnings: [
        '1: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
      ],
    },
    { dockerfile: 'FROM --platform=$BUILDPLATFORM alpine', warnings: [] },
  ],
};
