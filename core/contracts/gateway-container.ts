/** Containers that a frontend runs by itself, outside of any step. BuildKit: frontend/gateway/client/client.go. */
import type { Platform } from '../util/platform.js';
import type { ExecIo, RunningProcess } from './executor.js';
import type { GatewayRef } from './frontend.js';

export interface ContainerRequest {
  /** One of them is `/`. What is written into a tree is thrown away with the container. */
  readonly mounts: readonly ContainerMount[];
  readonly network?: 'sandbox' | 'host' | 'none';
  readonly platform?: Platform;
  /** Worker filters. */
  readonly constraints?: readonly string[];
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly hostname?: string;
}

export interface ContainerMount {
  readonly dest: string;
  readonly readonly?: boolean;
  /** Path inside the tree. */
  readonly selector?: string;
  /** The tree; without one, and without `resultId`, an empty one. */
  readonly ref?: GatewayRef | undefined;
  /** A tree of a step that failed: an input or mount id of the error's `solve` detail. */
  readonly resultId?: string;
  /** Default: the tree itself, bound. */
  readonly kind?:
    | { readonly type: 'cache'; readonly id: string; readonly sharing: 'shared' | 'private' | 'locked' }
    | { readonly type: 'tmpfs'; readonly sizeBytes?: number }
    | ({ readonly type: 'secret' } & MountedFile)
    | ({ readonly type: 'ssh' } & MountedFile);
}
export interface MountedFile {
  readonly id: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly optional?: boolean;
}

export interface ContainerProcess {
  readonly args: readonly string[];
  readonly env?: readonly string[];
  /** Default: `/`. */
  readonly cwd?: string;
  readonly user?: string;
  readonly tty?: boolean;
  readonly security?: 'sandbox' | 'insecure';
  readonly secretEnv?: readonly { readonly id: string; readonly name: string; readonly optional: boolean }[];
  readonly removeMountStubsRecursive?: boolean;
  /** Of the first process only: the cgroup below which the container's is made. */
  readonly cgroupParent?: string;
}

/** Disposing kills what runs in it, and waits for that. */
export interface GatewayContainer extends AsyncDisposable {
  /**
   * The first process is the container; when it ends, so do the others. Resolves as soon as the process runs. The signal
   * kills it.
   */
  start(process: ContainerProcess, io: ExecIo, signal: AbortSignal): Promise<RunningProcess>;
}
