import { canceled } from '../../../../core/contracts/errors.js';
import type {
  ExecIo,
  ExecMount,
  ExecResult,
  ExecSpec,
  Executor,
  ProcessSpec,
  RunningContainer,
  RunningProcess,
} from '../../../../core/contracts/executor.js';
import type { Progress } from '../../../../core/contracts/progress.js';
import { DisposeStack } from '../../../../core/util/dispose.js';
import { findProgram } from '../../../../core/util/find-program.js';
import type { Platform } from '../../../../core/util/platform.js';
import { Semaphore } from '../../../../core/util/semaphore.js';
import { cgroupPath } from '../cgroup/cgroup-path.js';
import {
  type ContainerNetwork,
  type NetworkProvider,
  plainNetwork,
  type TakenNetwork,
} from '../network/network-provider.js';
import { emulate } from '../platforms/emulator.js';
import type { ContainerExit, ContainerMount, ContainerRequest } from './protocol.js';

/** What runs containers: a thread of ours that starts a runtime, or containerd. Either way settles as `ended` says. */
export interface StepHost {
  /** Runs a container to its end; an abort kills it and waits for that. */
  run(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<ContainerExit>;
  /** The same, answered as soon as it runs. */
  start(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<RunningContainer>;
}

export interface HostedExecutorOptions {
  /** The host that containers run on; another one when the last has died. */
  readonly host: () => Promise<StepHost>;
  /** Networks of steps that ask for none in particular. */
  readonly sandboxNetwork: () => NetworkProvider;
  /** What the machine runs, by itself or because its kernel knows an emulator. */
  readonly machine: () => readonly Platform[];
  readonly defaultCgroupParent: string;
  readonly maxParallelism: number;
}

/** Runs steps on a host, which mounts, starts and cleans up; networks and emulators are seen to here. */
export class HostedExecutor implements Executor {
  readonly #options: HostedExecutorOptions;
  readonly #slots: Semaphore;

  constructor(options: HostedExecutorOptions) {
    this.#options = options;
    this.#slots = new Semaphore(options.maxParallelism);
  }

  async run(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ExecResult> {
    return canceledBy(signal, () => this.#slots.run(() => this.#run(spec, io, signal), signal));
  }

  async begin(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<RunningContainer> {
    return canceledBy(signal, async () => {
      await using held = new DisposeStack();
      const { network } = await held.use(await this.#network(spec.process, signal));
      const request = await this.#request(spec, { io, attended: true, network }, signal);
      const host = await this.#options.host();
      signal.throwIfAborted();
      const started = await host.start(request, io, signal);
      const kept = held.move();
      const ended = started.ended.finally(() => kept[Symbol.asyncDispose]());
      // Nobody has to wait for it.
      ended.catch(() => {});
      return abortable({ ...started, ended }, signal);
    });
  }

  async #run(spec: ExecSpec, io: ExecIo, signal: AbortSignal): Promise<ExecResult> {
    await using taken = await this.#network(spec.process, signal);
    const request = await this.#request(spec, { io, attended: false, network: taken.network }, signal);
    const host = await this.#options.host();
    signal.throwIfAborted();
    const result = await host.run(request, io, signal);
    signal.throwIfAborted();
    return result;
  }

  async #request(
    spec: ExecSpec,
    { io, attended, network }: Attendance,
    signal: AbortSignal,
  ): Promise<ContainerRequest> {
    const { id, progress } = spec;
    const { machine } = this.#options;
    const emulation = await emulate(spec.process, machine(), findProgram);
    const { process } = emulation;
    const [rootMounts, ...mounts] = await Promise.all([
      spec.root.tree.mounts(progress, signal),
      ...spec.mounts.map((mount) => withMounts(mount, progress, signal)),
    ]);
    return {
      id,
      process,
      root: { mounts: rootMounts, readonly: spec.root.readonly },
      mounts: [...mounts, ...emulation.mounts],
      cgroupsPath: cgroupPath(process.cgroupParent || this.#options.defaultCgroupParent, id),
      network,
      stdin: io.stdin !== undefined,
      attended,
      bare: false,
    };
  }

  #network({ network, hostname }: ProcessSpec, signal: AbortSignal): Promise<TakenNetwork> {
    switch (network) {
      case 'host':
        return hostNetwork.take(hostname, signal);
      case 'none':
        return noNetwork.take(hostname, signal);
      case 'sandbox':
        return this.#options.sandboxNetwork().take(hostname, signal);
      default:
        return network satisfies never;
    }
  }
}

const hostNetwork = plainNetwork('host');
const noNetwork = plainNetwork('new');

interface Attendance {
  readonly io: ExecIo;
  readonly attended: boolean;
  readonly network: ContainerNetwork;
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
