import type { Platform } from '../util/platform.js';
import type { ContainerEdits } from './devices.js';
import type { Mount } from './mount.js';
import type { Progress } from './progress.js';
import { family, type TokenFamily } from './token.js';

/** Runs processes in trees. One call is one container, gone with its cgroup when the call settles. */
export interface Executor {
  /**
   * Runs to the end and answers the exit code; only a process that could not be started or was killed by an
   * abort rejects. Aborting kills the whole cgroup at once and waits until it is empty.
   */
  run(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ExecResult>;
  /**
   * Begins the same, for whoever talks to the process: resolves as soon as it runs. The signal reigns until the end.
   * It is not one of the `maxParallelism`: whoever looks into a step may hold up no other.
   */
  begin(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<RunningContainer>;
}
export const Executors: TokenFamily<Executor> = family('Executor');

export interface RunningProcess {
  /** As {@link Executor.run} answers and rejects. Nobody has to wait for it. */
  readonly ended: Promise<ExecResult>;
  /** Reaches the process itself, whatever runs it. One that has ended takes none. */
  signal(name: NodeJS.Signals): void;
  /** Of its terminal; nothing without one. */
  resize(size: TerminalSize): void;
}

/** A container lives as long as its first process. */
export interface RunningContainer extends RunningProcess {
  /** One more process in it; an abort kills that one only. Resolves as soon as it runs. */
  exec(process: ExecProcess, io: ExecIo, signal: AbortSignal): Promise<RunningProcess>;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** What is empty is as in the first process: environment, directory and user. */
export type ExecProcess = Pick<ProcessSpec, 'args' | 'env' | 'cwd' | 'user' | 'tty'>;

export interface ExecResult {
  readonly exitCode: number;
  /** The kernel's OOM killer struck inside the container. */
  readonly oomKilled: boolean;
}

/** With a terminal all output is stdout. The process waits while a promise of its reader is pending. */
export interface ExecIo {
  readonly stdin?: AsyncIterable<Uint8Array>;
  stdout(data: Uint8Array): void | Promise<void>;
  stderr(data: Uint8Array): void | Promise<void>;
}

/** What can be mounted: both kinds of ref are, and so are plain host trees a worker makes itself. */
export interface Mountable {
  mounts(progress: Progress, signal: AbortSignal): Promise<readonly Mount[]>;
}

export interface ExecSpec {
  /** Names the container (25 base-36 characters); its cgroup and bundle carry it. */
  readonly id: string;
  readonly process: ProcessSpec;
  readonly root: { readonly tree: Mountable; readonly readonly: boolean };
  /** In mount order. */
  readonly mounts: readonly ExecMount[];
  readonly progress: Progress;
}

export type ExecMount =
  | {
      readonly kind: 'tree';
      readonly dest: string;
      readonly tree: Mountable;
      /** Path inside the tree; a directory or a file. */
      readonly selector: string;
      readonly readonly: boolean;
    }
  | { readonly kind: 'tmpfs'; readonly dest: string; readonly sizeBytes?: number }
  | {
      /** A file on a private tmpfs, never in a layer. */
      readonly kind: 'file';
      readonly dest: string;
      readonly data: Uint8Array;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    };

export interface ProcessSpec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `name|uid[:name|gid]`, resolved in the container's own /etc/passwd and /etc/group; empty = root. */
  readonly user: string;
  readonly hostname: string;
  /** What its programs are for: they are emulated where the machine does not run them itself. */
  readonly platform?: Platform;
  readonly network: 'sandbox' | 'host' | 'none';
  readonly security: 'sandbox' | 'insecure';
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly cgroupParent: string;
  readonly resources: LinuxResources;
  /** What its devices need. */
  readonly edits?: ContainerEdits;
  /** The process gets a terminal for all of its streams. */
  readonly tty?: boolean;
  /** Remove mount point stubs together with the parents that were made for them (E13.4). */
  readonly removeMountStubsRecursive: boolean;
}

/** All optional; sizes in bytes, times in microseconds. */
export interface LinuxResources {
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
}
