import { goQuote } from '../../../../../core/util/go-quote.js';
import type { Rule } from '../rule.js';

export const workdirRelativePath: Rule = {
  name: 'WorkdirRelativePath',
  description:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  page: 'workdir-relative-path',
  on: {
    workdir({ path, settled, ranges }, warn) {
      if (settled || path.startsWith('/')) return;
      warn(ranges, `Relative workdir ${goQuote(path)} can have unexpected results if the base image changes`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM nginx\nWORKDIR usr/share/nginx/html\nWORKDIR images',
      warnings: [
        '2: Relative workdir "usr/share/nginx/html" can have unexpected results if the base image changes',
      ],
    },
    { dockerfile: 'FROM nginx AS web\nWORKDIR /usr/share\nFROM web\nWORKDIR nginx', warnings: [] },
  ],
};
