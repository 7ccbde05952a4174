import type { Rule } from '../rule.js';

export const exposeProtoCasing: Rule = {
  name: 'ExposeProtoCasing',
  description: 'Protocol in EXPOSE instruction should be lowercase',
  page: 'expose-proto-casing',
  on: {
    port({ text, protocol, ranges }, warn) {
      if (protocol === protocol.toLowerCase()) return;
      warn(ranges, `Defined protocol '${text}' in EXPOSE instruction should be lowercase`);
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nEXPOSE 80/TcP',
      warnings: ["2: Defined protocol '80/TcP' in EXPOSE instruction should be lowercase"],
    },
    { dockerfile: 'FROM alpine\nEXPOSE 80/tcp', warnings: [] },
  ],
};
