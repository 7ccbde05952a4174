import { hiddenArgs } from '../../convert/scan-targets.js';
import type { Rule } from '../rule.js';
import { suggest } from '../suggest.js';

export const undefinedVar: Rule = {
  name: 'UndefinedVar',
  description: 'Variables should be defined before their use',
  page: 'undefined-var',
  on: {
    unsetVariable({ name, known, ranges }, warn) {
      if (hiddenArgs.has(name)) return;
      const meant = suggest(name, known());
      const hint = meant === undefined ? '' : ` (did you mean $${meant}?)`;
      warn(ranges, `Usage of undefined variable '$${name}'${hint}`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nARG foo=1\nCOPY $foe .',
      warnings: ["3: Usage of undefined variable '$foe' (did you mean $foo?)"],
    },
    {
      dockerfile: 'FROM alpine\nENV PATH=$PAHT:/app/bin',
      warnings: ["2: Usage of undefined variable '$PAHT' (did you mean $PATH?)"],
    },
    { dockerfile: 'FROM alpine\nARG foo\nCOPY $foo .', warnings: [] },
    { dockerfile: 'FROM alpine\nRUN echo $unknown', warnings: [] },
  ],
};
