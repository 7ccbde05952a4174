import type { Rule } from '../rule.js';

export const exposeInvalidFormat: Rule = {
  name: 'ExposeInvalidFormat',
  description:
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  page: 'expose-invalid-format',
  on: {
    port({ text, address, hostPort, ranges }, warn) {
      if (address === '' && hostPort === '') return;
      warn(
        ranges,
        `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`,
      );
    },
  },
  examples: [
    {
      dockerfile: 'FROM alpine\nEXPOSE 127.0.0.1:80:80',
      warnings: [
        "2: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
      ],
    },
    { dockerfile: 'FROM alpine\nEXPOSE 80', warnings: [] },
  ],
};
