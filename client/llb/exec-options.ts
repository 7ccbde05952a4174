import type { ConstraintOptions } from './constraints.js';
import type { HostIp, NetworkMode, SecurityMode, Ulimit } from './settings.js';
import type { State } from './state.js';

/** A process to run. Settings given here count for this run only. */
export interface RunOptions extends ConstraintOptions {
  /** The program and its arguments; or `shlex`, one line split as a POSIX shell would. */
  readonly args?: readonly string[];
  readonly shlex?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: string;
  readonly hostname?: string;
  readonly network?: NetworkMode;
  readonly security?: SecurityMode;
  readonly cgroupParent?: string;
  readonly extraHosts?: readonly HostIp[];
  readonly ulimits?: readonly Ulimit[];
  readonly mounts?: readonly MountOptions[];
  readonly secrets?: readonly SecretOptions[];
  readonly ssh?: readonly SshOptions[];
  readonly devices?: readonly { readonly name: string; readonly optional?: boolean }[];
  /** Seen by the process, but no part of the cache key. */
  readonly proxy?: ProxyOptions;
  readonly readonlyRoot?: boolean;
  /** Exit codes that count as success; none given: only 0. */
  readonly validExitCodes?: readonly number[];
}

export interface MountOptions {
  readonly target: string;
  /** Absent: an empty tree. */
  readonly source?: State | undefined;
  /** The part of the source to mount. */
  readonly selector?: string;
  readonly readonly?: boolean;
  /** A directory that survives between builds, found again by its id. */
  readonly cache?: { readonly id: string; readonly sharing?: 'shared' | 'private' | 'locked' };
  readonly tmpfs?: { readonly size?: number };
  /** What is written is thrown away. */
  readonly noOutput?: boolean;
  /** Whether content may stand for the mount in the cache key. */
  readonly contentCache?: 'default' | 'on' | 'off';
}

export interface SecretOptions {
  readonly id: string;
  /** The file it is seen as, the variable it is seen as, or both. */
  readonly target?: string | undefined;
  readonly env?: string | undefined;
  readonly uid?: number;
  readonly gid?: number;
  /** Default 0400. */
  readonly mode?: number;
  readonly optional?: boolean;
}

export interface SshOptions {
  readonly id?: string;
  /** Default `/run/buildkit/ssh_agent.<n>`. */
  readonly target?: string | undefined;
  readonly uid?: number;
  readonly gid?: number;
  /** Default 0600. */
  readonly mode?: number;
  readonly optional?: boolean;
}

export interface ProxyOptions {
  readonly http?: string;
  readonly https?: string;
  readonly ftp?: string;
  readonly no?: string;
  readonly all?: string;
}
