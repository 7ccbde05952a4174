import { goQuote } from '../../../../../core/util/go-quote.js';
import { formatPlatform, normalizePlatform, type Platform } from '../../../../../core/util/platform.js';
import type { Rule } from '../rule.js';

const shown = (platform: Platform): string => goQuote(formatPlatform(normalizePlatform(platform)));

export const invalidBaseImagePlatform: Rule = {
  name: 'InvalidBaseImagePlatform',
  description: 'Base image platform does not match expected target platform',
  on: {
    baseImage({ name, wanted, found, ranges }, warn) {
      if (wanted.os === found.os && wanted.architecture === found.architecture) return;
      const [expected, actual] = [shown(wanted), shown(found)];
      warn(
        ranges,
        `Base image ${name} was pulled with platform ${actual}, expected ${expected} for current build`,
      );
    },
  },
  examples: [
    {
      dockerfile: 'FROM --platform=linux/s390x alpine AS s390x-base',
      warnings: [
        '1: Base image alpine was pulled with platform "linux/amd64", expected "linux/s390x" for current build',
      ],
    },
    { dockerfile: 'FROM alpine', warnings: [] },
  ],
};
