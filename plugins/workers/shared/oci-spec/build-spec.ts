/**
 * The config.json of one step. What does not depend on the step is made once per host ({@link SpecHost}).
 * BuildKit: executor/oci/spec.go, spec_linux.go.
 */
import type { ProcessSpec } from '../../../../core/contracts/executor.js';
import { type GoStruct, goJson } from '../../../../core/util/go-json.js';
import type { ContainerNetwork } from '../network/network-provider.js';
import { defaultCapabilities } from './capabilities.js';
import { defaultMounts, oncePerDestination } from './default-mounts.js';
import { allDevices, insecureDevices, noDevices } from './devices.js';
import { withEdits } from './edits.js';
import type { HostMeans } from './host-means.js';
import { type RlimitHost, refuseLimits, resources, rlimits } from './limits.js';
import type {
  CapabilitySet,
  OciLinux,
  OciMount,
  OciNamespace,
  OciProcess,
  OciRlimit,
  OciSeccomp,
  OciSpec,
} from './types.js';

export const DEFAULT_HOSTNAME = 'buildkitsandbox';

/** The newest version that runc 1.0 and crun 1.8 both take. */
const OCI_VERSION = '1.0.2';

export interface SpecHost {
  /** All that the daemon itself may do. */
  readonly capabilities: readonly string[];
  /** undefined where the kernel has no seccomp. */
  readonly seccomp:
    | { readonly profile: OciSeccomp; readonly annotations?: OciSpec['annotations'] }
    | undefined;
  readonly means: HostMeans;
  /** Pure cgroup v2: a container gets a cgroup namespace. */
  readonly cgroupNamespace: boolean;
  readonly apparmorProfile: string | undefined;
  /** Unless the step says otherwise. */
  readonly openFiles: OciRlimit | undefined;
  rlimits(): RlimitHost;
}

export interface SpecInput {
  readonly process: ProcessSpec;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly cgroupsPath: string;
  readonly network: ContainerNetwork;
  /** After the default ones. */
  readonly mounts: readonly OciMount[];
}

export function buildSpec(input: SpecInput, host: SpecHost): OciSpec {
  const spec = plainSpec(input, host);
  const { edits } = input.process;
  return edits ? withEdits(spec, edits, host.means) : spec;
}

function plainSpec(input: SpecInput, host: SpecHost): OciSpec {
  const { process } = input;
  const insecure = process.security === 'insecure';
  const { means } = host;
  if (!means.cgroups) refuseLimits(process);
  const annotations = insecure ? undefined : host.seccomp?.annotations;
  const apparmor = insecure ? undefined : host.apparmorProfile;
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: process.tty ?? false,
      user: input.user,
      args: process.args,
      env: process.env,
      cwd: process.cwd || '/',
      capabilities: capabilities(insecure ? host.capabilities : undefined),
      rlimits: withOpenFiles(
        rlimits(process.ulimits, () => host.rlimits()),
        host.openFiles,
      ),
      noNewPrivileges: false,
      ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
    },
    root: input.root,
    hostname: process.hostname || DEFAULT_HOSTNAME,
    mounts: oncePerDestination([...defaultMounts(insecure, means), ...input.mounts]),
    ...(annotations ? { annotations } : {}),
    linux: {
      namespaces: namespaces(input, host),
      ...(means.cgroups
        ? {
            cgroupsPath: input.cgroupsPath,
            resources: resources(process.resources, insecure ? allDevices : noDevices),
          }
        : {}),
      ...confinement(insecure, host),
    },
  };
}

export const encodeSpec = (spec: OciSpec): string => goJson(spec as unknown as GoStruct);
export const encodeProcess = (process: OciProcess): string => goJson(process as unknown as GoStruct);

const withOpenFiles = (
  limits: readonly OciRlimit[],
  openFiles: OciRlimit | undefined,
): readonly OciRlimit[] =>
  openFiles && !limits.some(({ type }) => type === openFiles.type) ? [...limits, openFiles] : limits;

function capabilities(all: readonly string[] | undefined): Partial<Record<CapabilitySet, readonly string[]>> {
  const given = all ?? defaultCapabilities;
  const sets = { bounding: given, effective: given, permitted: given };
  return all ? { ...sets, inheritable: all, ambient: all } : sets;
}

function namespaces({ network }: SpecInput, host: SpecHost): OciLinux['namespaces'] {
  const types: OciNamespace[] = ['ipc', 'uts', 'mount'];
  if (host.means.processSandbox) types.unshift('pid');
  if (host.cgroupNamespace) types.push('cgroup');
  const own = types.map((type) => ({ type }));
  if (network === 'host') return own;
  return [...own, { type: 'network', ...(network === 'new' ? {} : { path: network.path }) }];
}

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
  '/proc/scsi',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

type Confinement = Pick<OciLinux, 'devices' | 'seccomp' | 'maskedPaths' | 'readonlyPaths'>;

const confinement = (insecure: boolean, host: SpecHost): Confinement =>
  insecure
    ? { devices: insecureDevices(), maskedPaths: [], readonlyPaths: [] }
    : { maskedPaths, readonlyPaths, ...(host.seccomp ? { seccomp: host.seccomp.profile } : {}) };
