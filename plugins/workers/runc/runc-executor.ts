import { canceled } from '../../../core/contracts/errors.js';
import type {
  ExecIo,
  ExecMount,
  ExecResult,
  ExecSpec,
  Executor,
  RunningContainer,
  RunningProcess,
} from '../../../core/contracts/executor.js';
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
    return canceledBy(signal, () => this.#slots.run(() => this.#run(spec, io, signal), signal));
  }

  async begin(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<RunningContainer> {
    return canceledBy(signal, async () => {
      const request = await this.#request(spec, { io, attended: true }, signal);
      const host = await this.#options.host();
      signal.throwIfAborted();
      return abortable(await host.start(request, io, signal), signal);
    });
  }

  async #run(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ExecResult> {
    const request = await this.#request(spec, { io, attended: false }, signal);
    const host = await this.#options.host();
    signal.throwIfAborted();
    const result = await host.run(request, io, signal);
    signal.throwIfAborted();
    return result;
  }

  async #request(
    spec: ExecSpec,
    { io, attended }: Attendance,
    signal: AbortSignal,
  ): Promise<ContainerRequest> {
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
      attended,
      bare: false,
    };
  }

  #sharesNetwork(network: ExecSpec['process']['network']): boolean {
    return network === 'host' || (network === 'sandbox' && this.#options.sandboxNetwork === 'host');
  }
}

interface Attendance {
  readonly io: ExecIo;
  readonly attended: boolean;
}

/** What comes of an abort, whatever was in the middle of it, is a cancellation. */
async function canceledBy<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? canceled(signal.reason) : error;
  }
}

function abortable(container: RunningContainer, signal: AbortSignal): RunningContainer {
  return {
    ...abortableProcess(container, signal),
    exec: (process, io, execSignal) =>
      canceledBy(execSignal, async () => {
        execSignal.throwIfAborted();
        return abortableProcess(await container.exec(process, io, execSignal), execSignal);
      }),
  };
}

function abortableProcess(process: RunningProcess, signal: AbortSignal): RunningProcess {
  const ended = canceledBy(signal, async () => {
    const result = await process.ended;
    signal.throwIfAborted();
    return result;
  });
  // Nobody has to wait for it.
  ended.catch(() => {});
  return { ...process, ended };
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
