/** Flags of BuildKit that are known here, so that they are refused by name and not as typos. */
import type { Command, OptionValues } from 'commander';
import { unsupported } from '../../core/contracts/index.js';

const flags = {
  saveCacheDebug: '--save-cache-debug',
  ociWorkerSelinux: '--oci-worker-selinux',
  ociWorkerProxySnapshotterPath: '--oci-worker-proxy-snapshotter-path <path>',
} as const;

export function addUnservedFlags(program: Command): Command {
  for (const flag of Object.values(flags)) program.option(flag, 'known, but not supported yet');
  return program;
}

export function refuseUnservedFlags(options: OptionValues): void {
  for (const [name, flag] of Object.entries(flags)) {
    if (options[name] === undefined) continue;
    throw unsupported('buildkitd.flag', `${flag.split(' ')[0]} is known, but not supported yet`);
  }
}
