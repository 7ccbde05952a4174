/**
 * Runs containers as containerd's tasks. Each is prepared (mounts, spec), made known, run and taken away again, in this
 * order; taking away happens whatever came before, and nobody is told of an end before it is done.
 */
import { setMaxListeners } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import type {
  ExecIo,
  ExecProcess,
  ExecResult,
  RunningContainer,
  RunningProcess,
} from '../../../core/contracts/executor.js';
import type { Logger } from '../../../core/contracts/logger.js';
import { deferred } from '../../../core/util/deferred.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { newId } from '../../../core/util/identity.js';
import { Containers, Tasks } from '../../../proto/containerd.js';
import { cgroupLayout } from '../shared/cgroup/cgroup-layout.js';
import { ContainerCgroup } from '../shared/cgroup/container-cgroup.js';
import { containerGone } from '../shared/container-host/container.js';
import type { StepHost } from '../shared/container-host/hosted-executor.js';
import type { ContainerExit, ContainerRequest } from '../shared/container-host/protocol.js';
import type { BundleHost } from './bundle-host.js';
import { type Containerd, explained, tolerant, unless } from './containerd-client.js';
import { WORKER_LABEL } from './containerd-snapshotter.js';
import type { RuntimeChoice } from './runtime-choice.js';
import { TaskProcess } from './task-process.js';

/** As containerd's own clients name them (typeurl). */
const specType = (name: 'Spec' | 'Process'): string =>
  `types.containerd.io/opencontainers/runtime-spec/1/${name}`;

export interface TaskHostParts {
  readonly containerd: Containerd;
  readonly bundles: BundleHost;
  readonly logger: Logger;
  readonly workerId: string;
  readonly runtime: RuntimeChoice;
  /** For fifos. */
  readonly dir: string;
}

interface Begun {
  readonly process: TaskProcess;
  readonly started: Promise<void>;
  readonly ended: Promise<ContainerExit>;
}

export class TaskHost implements StepHost {
  readonly #parts: TaskHostParts;
  readonly #cgroups = cgroupLayout();

  constructor(parts: TaskHostParts) {
    this.#parts = parts;
  }

  run(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<ContainerExit> {
    return this.#begin(request, io, signal).ended;
  }

  async start(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Promise<RunningContainer> {
    const first = this.#begin(request, io, signal);
    await first.started;
    let gone = false;
    const leave = (): void => {
      gone = true;
    };
    first.ended.then(leave, leave);
    return {
      ...handle(first),
      exec: async (process, execIo, execSignal) => {
        if (gone) throw containerGone(request.id);
        const more = this.#exec(request.id, process, execIo, execSignal);
        await more.started;
        return handle(more);
      },
    };
  }

  #begin(request: ContainerRequest, io: ExecIo, signal: AbortSignal): Begun {
    const { id } = request;
    return this.#attended(
      this.#process(id, '', io, request.process.tty ?? false),
      signal,
      (process, started) => this.#runFirst(request, process, started),
    );
  }

  #exec(container: string, spec: ExecProcess, io: ExecIo, signal: AbortSignal): Begun {
    return this.#attended(
      this.#process(container, newId(), io, spec.tty ?? false),
      signal,
      (process, started) => this.#runFurther(container, spec, process, started),
    );
  }

  #attended(
    made: TaskProcess,
    signal: AbortSignal,
    run: (process: TaskProcess, started: () => void) => Promise<ContainerExit>,
  ): Begun {
    const started = deferred<void>();
    const kill = (): void => made.kill();
    // One build's signal stops many steps; that is no leak.
    setMaxListeners(0, signal);
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    const ended = run(made, started.resolve).finally(() => signal.removeEventListener('abort', kill));
    ended.then(() => started.resolve(), started.reject);
    // Each is waited for by whoever wants to.
    started.promise.catch(() => {});
    return { process: made, started: started.promise, ended };
  }

  async #runFirst(
    request: ContainerRequest,
    process: TaskProcess,
    started: () => void,
  ): Promise<ContainerExit> {
    const { containerd, bundles } = this.#parts;
    const { id } = request;
    try {
      await using undo = new DisposeStack();
      await undo.use(process);
      if (process.killed) return killed;
      const spec = await bundles.prepare(request);
      await undo.defer(() => bundles.release(id));
      if (process.killed) return killed;
      await undo.defer(() => unless('NotFound', containerd.call(Containers.Delete, { id })));
      await this.#register(id, spec);
      await undo.defer(() => (process.ended ? deleteTask(containerd, id) : removeTask(containerd, id)));
      const terminal = request.process.tty ?? false;
      const task = { containerId: id, terminal, runtimePath: this.#parts.runtime.path };
      await process.create((paths) => containerd.call(Tasks.Create, { ...task, ...paths }));
      if (process.killed) return killed;
      await process.start();
      started();
      const exitCode = await process.finish();
      const oomKilled = new ContainerCgroup(this.#cgroups, request.cgroupsPath).oomKilled();
      process.check();
      return { exitCode, oomKilled };
    } catch (error) {
      throw explained(error, `container ${id}`);
    }
  }

  async #runFurther(
    container: string,
    spec: ExecProcess,
    process: TaskProcess,
    started: () => void,
  ): Promise<ContainerExit> {
    const { containerd, bundles } = this.#parts;
    const { execId } = process;
    let running = false;
    try {
      await using undo = new DisposeStack();
      await undo.use(process);
      const value = await bundles.process(container, spec);
      if (process.killed) return killed;
      const request = { containerId: container, execId };
      await undo.defer(() => unless('NotFound', containerd.call(Tasks.DeleteProcess, request)));
      await process.create((paths) =>
        containerd.call(Tasks.Exec, {
          ...request,
          ...paths,
          terminal: spec.tty ?? false,
          spec: { typeUrl: specType('Process'), value: Buffer.from(value) },
        }),
      );
      if (process.killed) return killed;
      await process.start();
      running = true;
      started();
      const exitCode = await process.finish();
      process.check();
      return { exitCode, oomKilled: false };
    } catch (error) {
      if (running && isShimGone(error)) return killed;
      throw explained(error, `a process in container ${container}`);
    }
  }

  #process(containerId: string, execId: string, io: ExecIo, tty: boolean): TaskProcess {
    const { containerd, logger, dir } = this.#parts;
    const own = path.join(dir, execId === '' ? containerId : `${containerId}-${execId}`);
    return new TaskProcess({ containerd, logger, containerId, execId, io, tty, dir: own });
  }

  async #register(id: string, spec: string): Promise<void> {
    const { containerd, workerId, runtime } = this.#parts;
    await containerd.call(Containers.Create, {
      container: {
        id,
        labels: { [WORKER_LABEL]: workerId },
        runtime: { name: runtime.name, options: runtime.options },
        spec: { typeUrl: specType('Spec'), value: Buffer.from(spec) },
      },
    });
  }
}

/** The container has ended, its shim with it, and that was quicker than the news of what ran in it. */
const isShimGone = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('ttrpc: closed');

/** Nobody is told this: it was an abort, which the executor says. */
const killed: ExecResult = { exitCode: 137, oomKilled: false };

const handle = ({ process, ended }: Begun): RunningProcess => ({
  ended,
  signal: (name) => process.signal(name),
  resize: (size) => process.resize(size),
});

/** Removes the task of a container that was not seen to end; one that is not there is as good. */
export async function removeTask(containerd: Containerd, containerId: string): Promise<void> {
  const signal = os.constants.signals.SIGKILL;
  await tolerant(containerd.call(Tasks.Kill, { containerId, signal, all: true }));
  await tolerant(containerd.call(Tasks.Wait, { containerId }));
  await deleteTask(containerd, containerId);
}

const deleteTask = (containerd: Containerd, containerId: string): Promise<void> =>
  unless('NotFound', containerd.call(Tasks.Delete, { containerId }));
