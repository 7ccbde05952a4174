import { goQuote } from '../../../../../core/util/go-quote.js';
import { type Platform, parsePlatform } from '../../../../../core/util/platform.js';
import type { Rule } from '../rule.js';

export const fromPlatformFlagConstDisallowed: Rule = {
  name: 'FromPlatformFlagConstDisallowed',
  description: 'FROM --platform flag should not use a constant value',
  page: 'from-platform-flag-const-disallowed',
  on: {
    fromPlatform({ stage, filled: { text, matched, unmatched } }, warn) {
      if (matched.size > 0 || unmatched.size > 0) return;
      const platform = tryPlatform(text);
      // A stage that is named after its platform is meant to be for that one.
      if (!platform || stage.name.includes(platform.os) || stage.name.includes(platform.architecture)) return;
      warn(stage.ranges, `FROM --platform flag should not use constant value ${goQuote(text)}`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM --platform=linux/amd64 alpine AS base',
      warnings: ['1: FROM --platform flag should not use constant value "linux/amd64"'],
    },
    { dockerfile: 'FROM --platform=linux/amd64 alpine AS build_amd64', warnings: [] },
    { dockerfile: 'FROM --platform=$BUILDPLATFORM alpine AS base', warnings: [] },
  ],
};

function tryPlatform(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    // It is about to be reported as an error.
    return undefined;
  }
}
