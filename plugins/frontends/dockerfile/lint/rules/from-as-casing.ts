import type { Rule } from '../rule.js';

export const fromAsCasing: Rule = {
  name: 'FromAsCasing',
  description: "The 'as' keyword should match the case of the 'from' keyword",
  page: 'from-as-casing',
  on: {
    node({ keyword, args, ranges }, warn) {
      const [, as = ''] = args;
      if (keyword.toLowerCase() !== 'from' || args.length < 3) return;
      const [lower, upper] = [keyword.toLowerCase(), keyword.toUpperCase()];
      // A mixed FROM is another rule's business.
      if (keyword !== lower && keyword !== upper) return;
      const wanted = keyword === lower ? as.toLowerCase() : as.toUpperCase();
      if (as !== wanted) warn(ranges, `'${as}' and '${keyword}' keywords' casing do not match`);
    },
  },
  examples: [
    { dockerfile: 'FROM alpine as builder', warnings: ["1: 'as' and 'FROM' keywords' casing do not match"] },
    { dockerfile: 'from alpine as builder', warnings: [] },
    { dockerfile: 'FROM alpine AS builder', warnings: [] },
  ],
};
