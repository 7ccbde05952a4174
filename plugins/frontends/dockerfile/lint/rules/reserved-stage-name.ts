import { goQuote } from '../../../../../core/util/go-quote.js';
import type { Rule } from '../rule.js';

const reserved = new Set(['context', 'scratch']);

export const reservedStageName: Rule = {
  name: 'ReservedStageName',
  description: 'Reserved words should not be used as stage names',
  page: 'reserved-stage-name',
  on: {
    dockerfile({ stages }, warn) {
      for (const { name, ranges } of stages) {
        if (!reserved.has(name)) continue;
        warn(ranges, `Stage name should not use the same name as reserved stage ${goQuote(name)}`);
      }
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine AS scratch',
      warnings: ['1: Stage name should not use the same name as reserved stage "scratch"'],
    },
    {
      dockerfile: 'FROM alpine AS context',
      warnings: ['1: Stage name should not use the same name as reserved stage "context"'],
    },
    { dockerfile: 'FROM alpine AS builder', warnings: [] },
  ],
};
