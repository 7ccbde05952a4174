import type { DeviceHook, DeviceType, IntelRdt } from '../../../../core/contracts/devices.js';

/** The part of the OCI runtime specification (config.json) that is written here. */
export interface OciSpec {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly OciMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hooks?: Readonly<Partial<Record<DeviceHook['hookName'], readonly Omit<DeviceHook, 'hookName'>[]>>>;
  readonly linux: OciLinux;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: Readonly<Partial<Record<CapabilitySet, readonly string[]>>>;
  readonly rlimits: readonly OciRlimit[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
}
export type CapabilitySet = 'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient';

/** Limits are unsigned 64 bit numbers: infinity does not fit a double. */
export interface OciRlimit {
  readonly type: string;
  readonly hard: bigint;
  readonly soft: bigint;
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciLinux {
  readonly namespaces: readonly { readonly type: OciNamespace; readonly path?: string }[];
  readonly cgroupsPath?: string;
  readonly resources?: OciResources;
  readonly devices?: readonly OciDevice[];
  readonly seccomp?: OciSeccomp;
  readonly intelRdt?: IntelRdt;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
}
export type OciNamespace = 'pid' | 'ipc' | 'uts' | 'mount' | 'network' | 'cgroup';

export interface OciResources {
  readonly devices: readonly {
    readonly allow: boolean;
    readonly type?: 'b' | 'c';
    readonly major?: number;
    readonly minor?: number;
    readonly access: string;
  }[];
  readonly memory?: { readonly limit?: number; readonly swap?: number };
  readonly cpu?: {
    readonly shares?: number;
    readonly period?: number;
    readonly quota?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
}

export interface OciDevice {
  readonly path: string;
  readonly type: DeviceType;
  readonly major: number;
  readonly minor: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface OciSeccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciSyscallRule[];
}
export type SeccompAction = 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
export interface OciSyscallRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}
export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_NE' | 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ';
}
