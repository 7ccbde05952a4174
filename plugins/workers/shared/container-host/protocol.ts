/** What an executor and the thread that owns its containers say to each other. */
import {
  BuildError,
  type ErrorCode,
  type ErrorDetail,
  type GrpcCode,
} from '../../../../core/contracts/errors.js';
import type {
  ExecMount,
  ExecProcess,
  ProcessSpec,
  TerminalSize,
} from '../../../../core/contracts/executor.js';
import type { Mount } from '../../../../core/contracts/mount.js';
import type { ContainerNetwork } from '../network/network-provider.js';
import type { DnsOverride } from '../network/resolv-conf.js';

/** How a runtime program is called. */
export interface Runtime {
  /** Absolute path of the program. */
  readonly path: string;
  /** `crun`, `runc`: what its `--version` says first. */
  readonly name: string;
  /** Knows `run --keep`: the cgroup outlives the container, and can be asked about OOM kills. */
  readonly keep: boolean;
  /** Takes a compiled seccomp program instead of the profile. */
  readonly precompiledSeccomp: boolean;
  /** crun refuses a v2 tree with controllers beside v1: they are then not shown to the runtime. */
  readonly hideControllers: boolean;
}

export interface HostSettings {
  /** `<home>/executor`: on disk, survives a crash. */
  readonly stateDir: string;
  readonly runtime: Runtime;
  readonly dns: DnsOverride | undefined;
  readonly apparmorProfile: string | undefined;
  /** The daemon is root in a user namespace only. */
  readonly rootless: boolean;
  /** The program that makes overlays, where the kernel makes none: the path of fuse-overlayfs. */
  readonly fuseOverlayfs: string | undefined;
  /** Steps have process namespaces of their own. */
  readonly processSandbox: boolean;
}

export interface ContainerRequest {
  readonly id: string;
  readonly process: ProcessSpec;
  readonly root: { readonly mounts: readonly Mount[]; readonly readonly: boolean };
  readonly mounts: readonly ContainerMount[];
  readonly cgroupsPath: string;
  readonly network: ContainerNetwork;
  readonly stdin: boolean;
  /** Somebody waits for its start, sends signals, or runs more in it. */
  readonly attended: boolean;
  /** Without /etc/hosts, /etc/resolv.conf and /sys: nothing is needed in the tree, and it may be the host's. */
  readonly bare: boolean;
}

/** An {@link ExecMount} whose tree has been asked for its mounts. */
export type ContainerMount =
  | Exclude<ExecMount, { readonly kind: 'tree' }>
  | {
      readonly kind: 'tree';
      readonly dest: string;
      readonly mounts: readonly Mount[];
      readonly selector: string;
      readonly readonly: boolean;
    };

export interface ExecRequest {
  readonly id: string;
  /** The id of the container it runs in. */
  readonly container: string;
  readonly process: ExecProcess;
  readonly stdin: boolean;
}

/** An id names a process: a container's first one, or one more. */
export type HostCommand =
  | { readonly type: 'run'; readonly request: ContainerRequest }
  | { readonly type: 'exec'; readonly request: ExecRequest }
  | { readonly type: 'kill'; readonly id: string }
  /** Without data: the end. Sent only after `want-stdin`. */
  | { readonly type: 'stdin'; readonly id: string; readonly data?: Uint8Array }
  | { readonly type: 'signal'; readonly id: string; readonly name: NodeJS.Signals }
  | { readonly type: 'resize'; readonly id: string; readonly size: TerminalSize }
  /** So many bytes of output have been passed on. */
  | { readonly type: 'taken'; readonly id: string; readonly bytes: number }
  | { readonly type: 'close' };

/** What a thread leaves to the rest of the process when it dies: its containers, and who is to end them. */
export interface HostEstate {
  /** The file that names them. */
  readonly record: string;
  readonly will: { readonly pid: number; readonly held: number };
  /** Shared memory with the ids of programs that it has started and not reaped; 0 is none. */
  readonly children: Int32Array;
}

export type HostEvent =
  | { readonly type: 'ready'; readonly estate: HostEstate }
  | {
      readonly type: 'output';
      readonly id: string;
      readonly stream: 'stdout' | 'stderr';
      readonly data: Uint8Array;
    }
  /** Only of those that are attended. One that ends at once may leave it out. */
  | { readonly type: 'started'; readonly id: string }
  | { readonly type: 'want-stdin'; readonly id: string }
  | { readonly type: 'exited'; readonly id: string; readonly exit: ContainerExit }
  | { readonly type: 'failed'; readonly id: string; readonly error: HostError }
  /** Something that nobody waits for went wrong: killing a container, or cleaning up after it. */
  | { readonly type: 'problem'; readonly id: string; readonly error: HostError };

export interface ContainerExit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

export interface HostError {
  readonly code: ErrorCode;
  readonly grpcCode: GrpcCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly ErrorDetail[];
}

export function recordError(thrown: unknown): HostError {
  const { code, grpcCode, message, hint, details } = BuildError.from(thrown);
  return { code, grpcCode, message, hint, details };
}

export const reviveError = ({ code, grpcCode, message, hint, details }: HostError): BuildError =>
  new BuildError(code, message, { grpcCode, details, ...(hint === undefined ? {} : { hint }) });
