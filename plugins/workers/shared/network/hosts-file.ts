import type { ProcessSpec } from '../../../../core/contracts/executor.js';

/** /etc/hosts of a step. BuildKit: executor/oci/hosts.go. */
export const hostsFile = (hostname: string, extra: ProcessSpec['extraHosts']): string =>
  [
    `127.0.0.1\tlocalhost ${hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...extra.map(({ ip, host }) => `${ip}\t${host}`),
    '',
  ].join('\n');
