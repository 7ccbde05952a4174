import { goQuote } from '../../../../../core/util/go-quote.js';
import type { Rule } from '../rule.js';

const words = 'apikey|auth|credential|credentials|key|password|pword|passwd|secret|token';
/** As a whole, or as a part between underscores. */
const secret = new RegExp(`(?:_|^)(?:${words})(?:_|$)`, 'i');
const harmless = /(?:_|^)public(?:_|$)/i;

export const secretsUsedInArgOrEnv: Rule = {
  name: 'SecretsUsedInArgOrEnv',
  description: 'Sensitive data should not be used in the ARG or ENV commands',
  page: 'secrets-used-in-arg-or-env',
  on: {
    keyValue({ instruction: { kind, ranges }, key }, warn) {
      if ((kind !== 'arg' && kind !== 'env') || !secret.test(key) || harmless.test(key)) return;
      const what = `${kind.toUpperCase()} ${goQuote(key)}`;
      warn(ranges, `Do not use ARG or ENV instructions for sensitive data (${what})`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nARG AWS_SECRET_ACCESS_KEY\nENV token=1',
      warnings: [
        '2: Do not use ARG or ENV instructions for sensitive data (ARG "AWS_SECRET_ACCESS_KEY")',
        '3: Do not use ARG or ENV instructions for sensitive data (ENV "token")',
      ],
    },
    { dockerfile: 'FROM alpine\nENV PUBLIC_KEY=1 TOKENIZER=2 monkey=3', warnings: [] },
    {
      dockerfile: 'FROM alpine\nRUN --mount=type=secret,id=aws,env=AWS_SECRET_ACCESS_KEY upload',
      warnings: [],
    },
  ],
};
