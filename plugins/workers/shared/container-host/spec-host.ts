import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { mount, mountFlags, unmount } from '../../../../core/util/linux/mount.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { holdsId, userNamespace } from '../../../../core/util/linux/user-namespace.js';
import type { CgroupLayout } from '../cgroup/cgroup-layout.js';
import type { SpecHost } from '../oci-spec/build-spec.js';
import { defaultCapabilities, ownCapabilities } from '../oci-spec/capabilities.js';
import { allMeans, type HostMeans } from '../oci-spec/host-means.js';
import { rlimitHost } from '../oci-spec/limits.js';
import { openFilesLimit } from '../oci-spec/open-files.js';
import { kernelHasSeccomp, seccompFor, seccompHost } from '../oci-spec/seccomp.js';
import { compileSeccomp, precompiled } from '../oci-spec/seccomp-program.js';
import type { HostSettings } from './protocol.js';

/** Asks the machine, once per host, what specs need to know. `scratch` is a folder to try mounts in. */
export function specHost(settings: HostSettings, cgroups: CgroupLayout, scratch: string): SpecHost {
  const { runtime, apparmorProfile } = settings;
  const capabilities = ownCapabilities();
  return {
    capabilities,
    seccomp: seccomp(runtime.precompiledSeccomp),
    means: hostMeans(settings, cgroups, scratch),
    cgroupNamespace: cgroups.mode === 'v2' && existsSync('/proc/self/ns/cgroup'),
    apparmorProfile,
    openFiles: openFilesLimit(),
    rlimits: () => rlimitHost(capabilities),
  };
}

function seccomp(compile: boolean): SpecHost['seccomp'] {
  if (!kernelHasSeccomp(readFileSync('/proc/self/status', 'utf8'))) return undefined;
  const profile = seccompFor(defaultCapabilities, seccompHost());
  if (!compile) return { profile };
  const { seccomp, annotations } = precompiled(profile, compileSeccomp(profile));
  return { profile: seccomp, annotations };
}

const TERMINAL_GROUP = 5;

const hostMeans = (
  { rootless, processSandbox }: HostSettings,
  cgroups: CgroupLayout,
  scratch: string,
): HostMeans =>
  rootless
    ? {
        cgroups: cgroups.mode !== 'none',
        sysfs: canMountSysfs(`${scratch}/sysfs`),
        processSandbox,
        terminalGroup: holdsId(userNamespace().gids, TERMINAL_GROUP),
        deviceNodes: false,
      }
    : allMeans;

/** Not derived from who owns which namespace, but tried. */
function canMountSysfs(target: string): boolean {
  mkdirSync(target);
  try {
    mount('sysfs', target, 'sysfs', mountFlags.nosuid | mountFlags.nodev | mountFlags.noexec);
    unmount(target, { detach: true });
    return true;
  } catch (error) {
    if (isErrno(error, 'EPERM', 'EBUSY', 'EACCES')) return false;
    throw error;
  } finally {
    rmdirSync(target);
  }
}
