import type { Rule } from '../rule.js';
import { suggest } from '../suggest.js';

export const undefinedArgInFrom: Rule = {
  name: 'UndefinedArgInFrom',
  description: 'FROM command must use declared ARGs',
  page: 'undefined-arg-in-from',
  on: {
    fromVariables({ unset, known, ranges }, warn) {
      for (const name of unset) {
        const names = [...known()];
        if (names.includes(name)) continue;
        const meant = suggest(name, names);
        const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
        warn(ranges, `FROM argument '${name}' is not declared${hint}`);
      }
    },
  },
  examples: [
    {
      dockerfile: 'ARG MINOR=20\nFROM alpine:3.$MINR',
      warnings: ["2: FROM argument 'MINR' is not declared (did you mean MINOR?)"],
    },
    { dockerfile: 'ARG MINOR=20\nFROM alpine:3.$MINOR', warnings: [] },
  ],
};
