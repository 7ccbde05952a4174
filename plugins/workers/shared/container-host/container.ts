/**
 * One container: made, run to its end and cleaned up in the host's thread.
 *
 * 1. All calls before the runtime is started are synchronous, so a container is either not begun or begun whole.
 * 2. `run` settles when the process has ended and its trees are unmounted and as the step left them. What is left to
 *    remove then (cgroup, bundle) nobody waits for but {@link Container.cleaned}.
 * 3. `kill` may come at any time. It is repeated until the runtime has ended: the cgroup may not be there yet.
 */
import fs from 'node:fs';
import type { Socket } from 'node:net';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { CgroupLayout } from '../cgroup/cgroup-layout.js';
import { ContainerCgroup } from '../cgroup/container-cgroup.js';
import type { OwnedContainers } from './owned-containers.js';
import { PipedProcess } from './piped-process.js';
import { type BundleContext, prepareBundle } from './prepare-bundle.js';
import {
  type ContainerExit,
  type ContainerRequest,
  type HostEvent,
  type Runtime,
  recordError,
} from './protocol.js';
import { runtimeErrors } from './runtime-log.js';
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

/** Output that may be on its way to whoever listens; beyond it the container's pipes fill up. */
const OUTPUT_WINDOW_BYTES = 1 << 20;
/** Between two attempts to kill, in ms: at first while the cgroup is being made, then while the kernel works. */
const KILL_INTERVAL_MS = { first: 2, most: 50 };
/** After so many vain attempts the runtime itself hangs. */
const KILL_ATTEMPTS = 200;
/** Exit codes that a runtime gives for its own failures. */
const runtimeFailures = new Set([1, 125, 126, 127, 255]);

export class Container {
  readonly #request: ContainerRequest;
  readonly #context: ContainerContext;
  readonly #cgroup: ContainerCgroup;
  readonly #bundle: string;
  readonly #undo: Disposable[] = [];
  #process: PipedProcess | undefined;
  #inFlight = 0;
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
      this.#process = started;
      this.#forward(started);
      const exitCode = await started.ended;
      this.#gone = true;
      const exit = { exitCode, oomKilled: this.#oomKilled(exitCode, oomBefore) };
      this.#checkStarted(exit);
      return exit;
    } finally {
      this.#gone = true;
      this.#release();
    }
  }

  /** Removes what `run` has left behind. What cannot be removed stays on record for the next start. */
  async cleaned(): Promise<void> {
    fs.rmSync(this.#bundle, { recursive: true, force: true });
    if (await this.#cgroup.removeWhenEmpty()) this.#context.owned.remove(this.#request.id);
    else throw new BuildError('exec.cgroup', `the cgroup ${this.#request.cgroupsPath} stays busy`);
  }

  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#killUntilGone().catch((error: unknown) => {
      this.#context.emit({ type: 'problem', id: this.#request.id, error: recordError(error) });
    });
  }

  /** The listener has passed on so many bytes. */
  taken(bytes: number): void {
    this.#inFlight -= bytes;
    if (this.#inFlight >= OUTPUT_WINDOW_BYTES) return;
    this.#process?.stdout.resume();
    this.#process?.stderr.resume();
  }

  /** More stdin, or its end. */
  write(data: Uint8Array | undefined): void {
    const stdin = this.#process?.stdin;
    if (!stdin || stdin.destroyed) return;
    if (data === undefined) stdin.end();
    else stdin.write(data, (error) => error ?? this.#wantStdin());
  }

  #start(): PipedProcess {
    const { runtime, owned } = this.#context;
    owned.add(this.#request.id, this.#request.cgroupsPath);
    prepareBundle(this.#request, this.#bundle, this.#context, (thing) => this.#undo.push(thing));
    const args = [
      runtime.path,
      ...['--root', `${this.#bundle}/state`, '--log', this.#log, '--log-format', 'json', 'run'],
      ...(runtime.keep ? ['--keep'] : []),
      ...['--bundle', this.#bundle, this.#request.id],
    ];
    const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    return new PipedProcess(runtime.path, { args, env, stdin: this.#request.stdin });
  }

  get #log(): string {
    return `${this.#bundle}/log.json`;
  }

  #forward(process: PipedProcess): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      process[stream].on('data', (data: Buffer) => this.#output(stream, process[stream], data));
    }
    if (process.stdin) this.#wantStdin();
  }

  #output(stream: 'stdout' | 'stderr', socket: Socket, data: Buffer): void {
    this.#inFlight += data.length;
    if (this.#inFlight >= OUTPUT_WINDOW_BYTES) socket.pause();
    this.#context.emit({ type: 'output', id: this.#request.id, stream, data });
  }

  #wantStdin(): void {
    this.#context.emit({ type: 'want-stdin', id: this.#request.id });
  }

  /** Without `--keep` the cgroup is gone: then a step that failed while the kernel killed for memory counts. */
  #oomKilled(exitCode: number, before: number): boolean {
    if (this.#context.runtime.keep) return this.#cgroup.oomKilled();
    return exitCode !== 0 && !this.#killed && systemOomKills() > before;
  }

  /** The runtime's own failures look like a step's exit code; its log tells them apart. */
  #checkStarted({ exitCode }: ContainerExit): void {
    if (!runtimeFailures.has(exitCode) || this.#killed) return;
    const message = runtimeErrors(this.#log);
    if (message === '') return;
    const said = `${this.#context.runtime.name} run failed: `;
    throw new BuildError('exec.start', message.startsWith(said) ? message : said + message, {
      details: [{ type: 'exit', exitCode }],
    });
  }

  /** Last made, first undone. */
  #release(): void {
    const errors: unknown[] = [];
    for (let thing = this.#undo.pop(); thing; thing = this.#undo.pop()) {
      try {
        thing[Symbol.dispose]();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'cleaning up failed');
  }

  async #killUntilGone(): Promise<void> {
    for (let attempt = 1, wait = KILL_INTERVAL_MS.first; !this.#gone; attempt++) {
      const alive = this.#cgroup.kill();
      if (attempt > KILL_ATTEMPTS && !alive) this.#giveUpOnRuntime();
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, KILL_INTERVAL_MS.most);
    }
  }

  #giveUpOnRuntime(): void {
    const started = this.#process!;
    if (started.hasExited()) started.abandonOutputs();
    else process.kill(started.pid, 'SIGKILL');
  }
}
