import { canceled } from '../../../core/contracts/errors.js';
import type { ExecIo, ExecMount, ExecResult, ExecSpec, Executor } from '../../../core/contracts/executor.js';
import type { Progress } from '../../../core/contracts/progress.js';
import { Semaphore } from '../../../core/util/semaphore.js';
import { cgroupPath } from '../shared/cgroup/cgroup-path.js';
import type { ContainerHost } from '../shared/container-host/container-host.js';
import type { ContainerMount, ContainerRequest } from '../shared/container-host/protocol.js';

export interface RuncExecutorOptions {
  /** The host that containers run on; another one when the last has died. */
  readonly host: () => Promise<ContainerHost>;
  /** Network of steps that ask for none in particular. */
  readonly sandboxNetwork: 'host' | 'none';
  readonly defaultCgroupParent: string;
  readonly maxParallelism: number;
}

/** Runs steps with an OCI runtime. Mounting, starting and cleaning up happen in the host's thread. */
export class RuncExecutor implements Executor {
  readonly #options: RuncExecutorOptions;
  readonly #slots: Semaphore;

  constructor(options: RuncExecutorOptions) {
    this.#options = options;
    this.#slots = new Semaphore(options.maxParallelism);
  }

  async run(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ExecResult> {
    try {
      return await this.#slots.run(() => this.#run(spec, io, signal), signal);
    } catch (error) {
      throw signal.aborted ? canceled(signal.reason) : error;
    }
  }

  async #run(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ExecResult> {
    const request = await this.#request(spec, io, signal);
    const host = await this.#options.host();
    signal.throwIfAborted();
    const result = await host.run(request, io, signal);
    signal.throwIfAborted();
    return result;
  }

  async #request(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ContainerRequest> {
    const { id, process, progress } = spec;
    const [rootMounts, ...mounts] = await Promise.all([
      spec.root.tree.mounts(progress, signal),
      ...spec.mounts.map((mount) => withMounts(mount, progress, signal)),
    ]);
    return {
      id,
      process,
      root: { mounts: rootMounts, readonly: spec.root.readonly },
      mounts,
      cgroupsPath: cgroupPath(process.cgroupParent || this.#options.defaultCgroupParent, id),
      hostNetwork: this.#sharesNetwork(process.network),
      stdin: io.stdin !== undefined,
      bare: false,
    };
  }

  #sharesNetwork(network: ExecSpec['process']['network']): boolean {
    return network === 'host' || (network === 'sandbox' && this.#options.sandboxNetwork === 'host');
  }
}

async function withMounts(
  mount: ExecMount,
  progress: Progress,
  signal: AbortSignal,
): Promise<ContainerMount> {
  if (mount.kind !== 'tree') return mount;
  const { kind, dest, selector, readonly, tree } = mount;
  return { kind, dest, selector, readonly, mounts: await tree.mounts(progress, signal) };
}
