import { existsSync, readFileSync } from 'node:fs';
import type { CgroupLayout } from '../cgroup/cgroup-layout.js';
import type { SpecHost } from '../oci-spec/build-spec.js';
import { defaultCapabilities, ownCapabilities } from '../oci-spec/capabilities.js';
import { rlimitHost } from '../oci-spec/limits.js';
import { openFilesLimit } from '../oci-spec/open-files.js';
import { kernelHasSeccomp, seccompFor, seccompHost } from '../oci-spec/seccomp.js';
import { compileSeccomp, precompiled } from '../oci-spec/seccomp-program.js';
import type { HostSettings } from './protocol.js';

/** Asks the machine, once per host, what specs need to know. */
export function specHost({ runtime, apparmorProfile }: HostSettings, cgroups: CgroupLayout): SpecHost {
  const capabilities = ownCapabilities();
  return {
    capabilities,
    seccomp: seccomp(runtime.precompiledSeccomp),
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
