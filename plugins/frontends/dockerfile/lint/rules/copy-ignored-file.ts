import { goQuote } from '../../../../../core/util/go-quote.js';
import type { Rule } from '../rule.js';

export const copyIgnoredFile: Rule = {
  name: 'CopyIgnoredFile',
  description: 'Attempting to Copy file that is excluded by .dockerignore',
  page: 'copy-ignored-file',
  experimental: true,
  on: {
    ignoredPath({ kind, path, ranges }, warn) {
      const verb = kind === 'add' ? 'Add' : 'Copy';
      warn(ranges, `Attempting to ${verb} file ${goQuote(path)} that is excluded by .dockerignore`);
    },
  },
  examples: [
    {
      dockerfile: '# check=experimental=CopyIgnoredFile\nFROM alpine\nCOPY ./tmp/Makefile /',
      dockerignore: '*/tmp/*\ntmp',
      warnings: ['3: Attempting to Copy file "./tmp/Makefile" that is excluded by .dockerignore'],
    },
    {
      dockerfile: '# check=experimental=all\nFROM alpine\nADD Makefile /',
      dockerignore: 'tmp',
      warnings: [],
    },
    { dockerfile: 'FROM alpine\nCOPY ./tmp/Makefile /', dockerignore: 'tmp', warnings: [] },
  ],
};
