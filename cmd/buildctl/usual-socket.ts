import { existsSync } from 'node:fs';
import { defaultPaths, systemPaths } from '../../core/util/default-paths.js';

/** Where a daemon is looked for: a user's own, before that of the machine, which may be open to them as well. */
export function usualSocket(): string {
  const { socket } = defaultPaths();
  return existsSync(socket) ? socket : systemPaths.socket;
}
