import { type Cap, caps } from './caps.js';
import type { ExecMount } from './exec.js';
import type { RunOptions } from './exec-options.js';
import type { Settings } from './settings.js';
import type { MarshalContext } from './vertex.js';

/** What a run asks of a daemon. BuildKit: client/llb/exec.go Marshal. */
export function execCaps(
  mounts: readonly ExecMount[],
  settings: Settings,
  options: RunOptions,
  context: MarshalContext,
): Set<Cap> {
  const needed = new Set<Cap>([caps.execMetaBase]);
  const need = (when: unknown, cap: Cap): void => {
    if (when) needed.add(cap);
  };
  need(context.caps?.has(caps.execMetaSetsDefaultPath), caps.execMetaSetsDefaultPath);
  need(options.validExitCodes, caps.execValidExitCode);
  need(settings.ulimits.length, caps.execMetaUlimit);
  need(settings.network !== 'sandbox', caps.execMetaNetwork);
  need(settings.security !== 'sandbox', caps.execMetaSecurity);
  need(options.proxy, caps.execMetaProxy);
  need(options.secrets?.length, caps.execMountSecret);
  need(
    options.secrets?.some(({ env }) => env !== undefined),
    caps.execSecretEnv,
  );
  need(options.ssh?.length, caps.execMountSsh);
  need(options.devices?.length, caps.execMetaCdi);
  need(options.resources, caps.execMetaLinuxResources);
  for (const mount of mounts) {
    need(mount.selector, caps.execMountSelector);
    need(mount.contentCache && mount.contentCache !== 'default', caps.execMountContentCache);
    if (mount.cache) {
      need(true, caps.execMountCache);
      need(true, caps.execMountCacheSharing);
    } else if (mount.tmpfs) {
      need(true, caps.execMountTmpfs);
      need(mount.tmpfs.size, caps.execMountTmpfsSize);
    } else need(mount.input, caps.execMountBind);
  }
  return needed;
}
