/** Whether the worker has the rights of real root, or those that a user namespace gives. */
import { unsupported } from '../../../core/contracts/errors.js';
import { SkipPlugin } from '../../../core/contracts/plugin.js';
import { userNamespace } from '../../../core/util/linux/user-namespace.js';
import type { RuncConfig } from './config.js';

export function isRootless(
  config: Pick<RuncConfig, 'rootless' | 'noProcessSandbox'>,
  { uid, nested } = { uid: process.getuid?.(), nested: userNamespace().nested },
): boolean {
  const rootless = config.rootless ?? nested;
  if (uid !== 0) {
    throw new SkipPlugin(
      'needs root, or to be root in a user namespace: start the daemon as root, or as rootlesskit buildkitd',
    );
  }
  // BuildKit: cmd/buildkitd/main_oci_worker.go refuses it as well.
  if (config.noProcessSandbox && !rootless) {
    throw unsupported('worker.process-sandbox', 'noProcessSandbox works in rootless mode only', {
      hint: 'Without a process namespace of their own, steps could kill any process of this machine.',
    });
  }
  return rootless;
}
