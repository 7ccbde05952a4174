/** What a containerd worker and the thread that prepares its bundles say to each other. */
import type { ExecProcess } from '../../../core/contracts/executor.js';
import type { ContainerRequest, HostError, HostSettings } from '../shared/container-host/protocol.js';

export type BundleSettings = Omit<HostSettings, 'runtime'>;

export type BundleCommand =
  | { readonly type: 'prepare'; readonly call: number; readonly request: ContainerRequest }
  /** One more process for a container that was prepared. */
  | {
      readonly type: 'process';
      readonly call: number;
      readonly container: string;
      readonly process: ExecProcess;
    }
  | { readonly type: 'release'; readonly call: number; readonly container: string }
  | { readonly type: 'close' };

/** `json`: the container's spec, or that of the process. */
export type BundleAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly call: number; readonly json: string }
  | { readonly type: 'failed'; readonly call: number; readonly error: HostError };
