/** What a frontend image learns from its environment. Wire facts E11.2. */
import type { Gateway } from '../../../core/contracts/frontend.js';
import { formatPlatformJson } from './platform-json.js';

export const programEnv = (gateway: Gateway, opts: Readonly<Record<string, string>>): string[] => [
  ...Object.entries(opts).map(([key, value], i) => `BUILDKIT_FRONTEND_OPT_${i}=${key}=${value}`),
  `BUILDKIT_SESSION_ID=${gateway.sessionId}`,
  `BUILDKIT_WORKERS=${JSON.stringify(gateway.workers.map(workerJson))}`,
  'BUILDKIT_EXPORTEDPRODUCT=buildkit',
];

const workerJson = ({ id, labels, platforms }: Gateway['workers'][number]): object => ({
  id,
  labels,
  platforms: platforms.map(formatPlatformJson),
  gcPolicy: [],
  buildkitVersion: { package: '', version: '', revision: '' },
  cdiDevices: [],
});
