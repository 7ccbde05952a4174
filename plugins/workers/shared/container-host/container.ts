/**
 * One container: made, run to its end and cleaned up in the host's thread.
 *
 * 1. All calls before the runtime is started are synchronous, so a container is either not begun or begun whole.
 * 2. `run` settles when the process has ended and its trees are unmounted and as the step left them. What is left to
 *    remove then (cgroup, bundle) nobody waits for but {@link Container.cleaned}.
 * 3. `kill` may come at any time. It is repeated until the runtime has ended: the cgroup may not be there yet.
 */
import fs from 'node:fs';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { TerminalSize } from '../../../../core/contracts/executor.js';
import { DisposeStack } from '../../../../core/util/dispose.js';
import type { CgroupLayout } from '../cgroup/cgroup-layout.js';
import { ContainerCgroup } from '../cgroup/container-cgroup.js';
import type { OciProcess } from '../oci-spec/types.js';
import { ContainerExec } from './container-exec.js';
import type { OwnedContainers } from './owned-containers.js';
import { type BundleContext, prepareBundle } from './prepare-bundle.js';
import { killDescendants } from './process-tree.js';
import {
  type ContainerExit,
  type ContainerRequest,
  type ExecRequest,
  type HostEvent,
  type Runtime,
  recordError,
} from './protocol.js';
import { RuntimeCall } from './runtime-call.js';
import { systemOomKills } from './system-oom.js';

/** What all containers of a host have in common. */
export interface ContainerContext extends BundleContext {
  readonly runtime: Runtime;
  readonly cgroups: CgroupLayout;
  readonly owned: OwnedContainers;
  /** Bundles are made in it: a folder in memory. */
  readonly dir: string;
  emit(event: HostEvent): void;
}

/** What can be done to a process that a host runs. Whatever comes too late does nothing. */
export interface HostedProcess {
  kill(): void;
  signal(name: NodeJS.Signals): void;
  resize(size: TerminalSize): void;
  write(data: Uint8Array | undefined): void;
  taken(bytes: number): void;
}

/** Between two attempts to kill, in ms: at first while the cgroup is being made, then while the kernel works. */
const KILL_INTERVAL_MS = { first: 2, most: 50 };
/** After so many vain attempts the runtime itself hangs. */
const KILL_ATTEMPTS = 200;

export class Container implements HostedProcess {
  readonly #request: ContainerRequest;
  readonly #context: ContainerContext;
  readonly #cgroup: ContainerCgroup;
  readonly #bundle: string;
  readonly #undo = new DisposeStack();
  /** Their streams may close a moment after the first process has ended. */
  readonly #execs = new Set<Promise<unknown>>();
  #first: { readonly process: OciProcess; readonly root: string } | undefined;
  #call: RuntimeCall | undefined;
  #killed = false;
  #gone = false;

  constructor(request: ContainerRequest, context: ContainerContext) {
    this.#request = request;
    this.#context = context;
    this.#cgroup = new ContainerCgroup(context.cgroups, request.cgroupsPath);
    this.#bundle = `${context.dir}/${request.id}`;
  }

  async run(): Promise<ContainerExit> {
    try {
      const oomBefore = systemOomKills();
      const started = this.#start();
      this.#call = started;
      const exitCode = await started.ended;
      this.#gone = true;
      const exit = { exitCode, oomKilled: this.#oomKilled(exitCode, oomBefore) };
      if (!this.#killed) started.checkStarted(exitCode);
      return exit;
    } finally {
      this.#gone = true;
      await this.#undo[Symbol.asyncDispose]();
    }
  }

  /** Removes what `run` has left behind. What cannot be removed stays on record for the next start. */
  async cleaned(): Promise<void> {
    await Promise.allSettled(this.#execs);
    fs.rmSync(this.#bundle, { recursive: true, force: true });
    if (await this.#cgroup.removeWhenEmpty()) this.#context.owned.remove(this.#request.id);
    else throw new BuildError('exec.cgroup', `the cgroup ${this.#request.cgroupsPath} stays busy`);
  }

  /** One more process in it, begun. */
  exec(request: ExecRequest): ContainerExec {
    if (!this.#first || this.#gone) throw containerGone(request.container);
    const { emit, runtime } = this.#context;
    const exec = new ContainerExec(request, { ...this.#first, bundle: this.#bundle, runtime, emit });
    const ended = exec.ended.finally(() => this.#execs.delete(ended));
    // Whoever began it is told; this only keeps the bundle for it.
    ended.catch(() => {});
    this.#execs.add(ended);
    return exec;
  }

  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#killUntilGone().catch((error: unknown) => {
      this.#context.emit({ type: 'problem', id: this.#request.id, error: recordError(error) });
    });
  }

  taken(bytes: number): void {
    this.#call?.taken(bytes);
  }

  write(data: Uint8Array | undefined): void {
    this.#call?.write(data);
  }

  /** SIGKILL is for all of the container, as it would be by its first process' end. */
  signal(name: NodeJS.Signals): void {
    if (name === 'SIGKILL') this.#killAll();
    else this.#call?.signal(name);
  }

  resize(size: TerminalSize): void {
    this.#call?.resize(size);
  }

  #start(): RuntimeCall {
    const { runtime, owned, emit } = this.#context;
    const { id, cgroupsPath, stdin, process, attended } = this.#request;
    owned.add(id, cgroupsPath);
    const spec = prepareBundle(this.#request, this.#bundle, this.#context, (thing) => {
      void this.#undo.use(thing);
    });
    this.#first = { process: spec.process, root: spec.root.path };
    return new RuntimeCall({
      runtime,
      id,
      command: 'run',
      state: `${this.#bundle}/state`,
      args: [...(runtime.keep ? ['--keep'] : []), '--bundle', this.#bundle, id],
      stdin,
      tty: process.tty ?? false,
      log: `${this.#bundle}/log.json`,
      pidFile: attended ? `${this.#bundle}/pids-${id}/${id}` : undefined,
      emit,
    });
  }

  /** Without `--keep` the cgroup is gone: then a step that failed while the kernel killed for memory counts. */
  #oomKilled(exitCode: number, before: number): boolean {
    if (this.#context.runtime.keep) return this.#cgroup.oomKilled();
    return exitCode !== 0 && !this.#killed && systemOomKills() > before;
  }

  /** Answers false when nobody was there. */
  #killAll(): boolean {
    if (this.#context.spec.means.cgroups) return this.#cgroup.kill();
    return this.#call !== undefined && killDescendants(this.#call.pid);
  }

  async #killUntilGone(): Promise<void> {
    for (let attempt = 1, wait = KILL_INTERVAL_MS.first; !this.#gone; attempt++) {
      const alive = this.#killAll();
      if (attempt > KILL_ATTEMPTS && !alive) this.#call?.abandon();
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, KILL_INTERVAL_MS.most);
    }
  }
}

export const containerGone = (id: string): BuildError =>
  new BuildError('exec.gone', `container ${id} has stopped`, { grpcCode: 'NotFound' });
